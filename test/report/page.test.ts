// The report page in a real browser: every figure has visible marks, tables can be sorted, text is escaped, no error is
// logged and nothing is fetched.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Browser, type Page } from 'playwright-core';
import { launchChromium, withoutChromium } from '../chromium.js';
import { emptyFolder, lunet, readCsv } from '../cli/lunet.js';
import { TINY } from '../cli/tiny.js';

const FIGURES = [
  'dice-over-channels',
  'channels-per-layer',
  'channels-per-block',
  'score-histogram',
  'widest-schedule',
  'methods',
  'dice-over-parameters',
  'training-curves',
];

describe('index.html in Chromium', { skip: withoutChromium }, () => {
  const cwd = emptyFolder();
  const errors: string[] = [];
  const requests: string[] = [];
  let browser: Browser;
  let page: Page;

  before(async () => {
    writeFileSync(join(cwd, 'lunet.yaml'), TINY.replace('hippocampus: [1, 2]', 'a: 1, b b: 2'));
    const { status, stderr } = lunet(['run', '--set', 'dataset.channels=["<b>T1</b><script>x()</script>"]'], {
      cwd,
    });
    assert.equal(status, 0, stderr);
    browser = await launchChromium();
    page = await browser.newPage({ colorScheme: 'dark', viewport: { width: 1200, height: 900 } });
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(`file://${join(cwd, 'runs/tiny/report/index.html')}`);
  });
  after(() => browser?.close());

  it('draws marks in every figure', async () => {
    const drawn: [string, number][] = [];
    for (const figure of await page.locator('figure').all()) {
      const marks = await figure.locator('path[aria-label]').all();
      const boxes = await Promise.all(marks.map((mark) => mark.boundingBox()));
      const visible = boxes.filter((box) => box !== null && (box.width > 0 || box.height > 0));
      drawn.push([(await figure.getAttribute('id')) as string, visible.length]);
    }
    assert.deepEqual(
      drawn.map(([id]) => id),
      FIGURES,
    );
    for (const [id, marks] of drawn) assert.ok(marks > 1, `${id} has ${marks} marks`);
  });
  it('shows values on hover', async () => {
    for (const id of FIGURES)
      assert.ok(
        (await page.locator(`figure#${id} path[aria-label] > title`).count()) > 0,
        `${id} has no titles`,
      );
  });
  it('links a page that segments scans with the best unbiased small network', async () => {
    const link = page.getByRole('link', { name: 'Segment a scan in the browser' });
    assert.equal(await link.getAttribute('href'), 'segment.html');
    const best = readCsv(join(cwd, 'runs/tiny/report/summary.csv'))
      .filter((row) => row.upper_bound === 'false' && /%$|^[^ ]+$/.test(row.method as string))
      .sort((a, b) => Number(b.dice_median) - Number(a.dice_median))[0]?.method as string;
    const told = await link.locator('..').innerText();
    assert.ok(told.includes(`with ${best}, seed 1:`), told);
    const segment = readFileSync(join(cwd, 'runs/tiny/report/segment.html'), 'utf8');
    assert.match(segment, /<title>tiny\/.*seed-1.*<\/title>/);
  });
  it('sorts a table when a head is clicked, and back', async () => {
    // The fourth column is the number of parameters: kind, method and label come before.
    const column = async (): Promise<number[]> =>
      (await page.locator('table').first().locator('tbody td:nth-child(4)').allTextContents()).map((text) =>
        Number(text.replaceAll(',', '')),
      );
    const head = page.locator('table').first().getByText('Parameters');
    const rising = (await column()).sort((a, b) => a - b);
    await head.click();
    assert.deepEqual(await column(), rising);
    await head.click();
    assert.deepEqual(await column(), rising.reverse());
  });
  it('escapes what comes from the config', async () => {
    const text = await page.textContent('pre >> nth=0');
    assert.match(text ?? '', /<b>T1<\/b><script>x\(\)<\/script>/);
    assert.equal(await page.locator('b').count(), 0);
  });
  it('is dark where the reader wants it so', async () => {
    const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    assert.equal(background, 'rgb(20, 20, 20)');
  });
  it('asks for nothing and logs no error', () => {
    assert.equal(requests.length, 1, requests.join(' '));
    assert.deepEqual(errors, []);
  });
});

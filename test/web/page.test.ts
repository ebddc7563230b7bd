// The page that `lunet export --html` writes, from file:// in a real browser: it finds what `lunet predict` finds, is used by mouse,
// keyboard and screen reader, and asks for nothing.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { type Browser, type Page } from 'playwright-core';
import { writeNifti } from '../../src/data/nifti/write.js';
import { generatePhantom } from '../../src/data/phantoms/index.js';
import { launchChromium, withoutChromium } from '../chromium.js';
import { emptyFolder, lunet } from '../cli/lunet.js';

const MODEL = fileURLToPath(new URL('../../../models/hippocampus.safetensors', import.meta.url));
const DATA = process.env.LUNET_TEST_DATA && join(process.env.LUNET_TEST_DATA, 'Task04_Hippocampus/imagesTr');

describe('the page in Chromium', { skip: withoutChromium }, () => {
  const folder = emptyFolder();
  const path = join(folder, 'page.html');
  const phantom = join(folder, 'phantom_0000.nii.gz');
  const errors: string[] = [];
  const requests: string[] = [];
  let browser: Browser;
  let page: Page;

  before(async () => {
    const { size, spacing, image } = generatePhantom({ kind: 'hippocampus', size: 40, seed: 3, index: 0 });
    await writeNifti(phantom, { size, spacing, voxels: Float32Array.from(image) });
    const { status, stderr } = lunet(['export', MODEL, '--html', path]);
    assert.equal(status, 0, stderr);
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(`file://${path}`);
  });
  after(() => browser?.close());

  const segment = async (files: string | string[]): Promise<void> => {
    await page.setInputFiles('#files', files);
    await page.locator('#result, #problem').filter({ visible: true }).first().waitFor();
    assert.equal(
      await page.locator('#problem').isVisible(),
      false,
      await page.locator('#problem').innerText(),
    );
  };
  /** Waits until an expression is true; the page's policy forbids Playwright's own way, which evaluates text. */
  const until = async (expression: string): Promise<void> => {
    for (const end = Date.now() + 5000; !(await page.evaluate(expression));) {
      assert.ok(Date.now() < end, expression);
      await page.waitForTimeout(20);
    }
  };
  const saved = async (): Promise<{ name: string; bytes: Buffer }> => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  };
  const predicted = (scan: string, name: string): Buffer => {
    const output = join(emptyFolder(), name);
    const { status, stderr } = lunet(['predict', MODEL, '-i', scan, '-o', output]);
    assert.equal(status, 0, stderr);
    return readFileSync(output);
  };

  it('is one small file that tells what to do and what it is', async () => {
    assert.ok(statSync(path).size < 400_000, String(statSync(path).size));
    assert.match(await page.locator('main').innerText(), /Drop a NIfTI file/);
    const text = await page.locator('body').innerText();
    for (const part of ['anterior', 'posterior', 'CC-BY-SA 4.0', 'not for diagnosis', '9,934 parameters'])
      assert.ok(text.includes(part), part);
  });
  it('finds in a phantom what `lunet predict` finds, and saves the same file', async () => {
    await segment(phantom);
    const { name, bytes } = await saved();
    assert.equal(name, 'phantom.nii.gz');
    const expected = gunzipSync(predicted(phantom, name));
    assert.ok(
      expected.subarray(352).some((value) => value > 0),
      'something was found',
    );
    assert.deepEqual(gunzipSync(bytes), expected);
    const rows = await page.locator('#findings tr').allInnerTexts();
    for (const [i, row] of rows.entries()) {
      const voxels = expected.subarray(352).filter((value) => value === i + 1).length;
      assert.match(
        row,
        new RegExp(`${((voxels * 1.6 ** 3) / 1000).toFixed(3)}\\s+${voxels.toLocaleString('en')}$`),
      );
    }
  });
  it(
    'finds in real scans what `lunet predict` finds',
    { skip: !DATA && 'LUNET_TEST_DATA is not set' },
    async () => {
      const scans = readdirSync(DATA as string).filter((name) => /^h.*\.nii\.gz$/.test(name));
      assert.ok(scans.length > 0);
      for (const scan of [scans[1], scans.at(-1)].map((name) => join(DATA as string, name as string))) {
        await segment(scan);
        const { name, bytes } = await saved();
        assert.equal(name, basename(scan));
        assert.deepEqual(gunzipSync(bytes), gunzipSync(predicted(scan, name)));
      }
    },
  );
  it('draws three planes with outlines, which boxes hide', async () => {
    await segment(phantom);
    await until(`(${COUNT_BLUE}).every((count) => count > 10)`);
    await page.getByRole('checkbox', { name: 'posterior' }).uncheck();
    await until(`(${COUNT_BLUE}).every((count) => count === 0)`);
  });
  it('goes through the slices by keys, wheel and click', async () => {
    const slices = async (): Promise<number[]> =>
      (await page.locator('output').allInnerTexts()).map((text) => Number.parseInt(text, 10));
    const [axial, coronal, sagittal] = (await slices()) as [number, number, number];
    await page.getByRole('slider', { name: 'Axial slice' }).press('ArrowRight');
    await until(`document.querySelector('output').textContent.startsWith('${axial + 1} ')`);
    const canvas = page.getByRole('img', { name: /^Coronal plane/ });
    await canvas.press('ArrowDown');
    await canvas.hover();
    await page.mouse.wheel(0, -240);
    await until(`document.querySelectorAll('output')[1].textContent.startsWith('${coronal - 1 + 4} ')`);
    const box = await canvas.boundingBox();
    assert.ok(box);
    // Right of the middle of the coronal plane is the patient's left: a lower x.
    await page.mouse.click(box.x + box.width * 0.95, box.y + box.height * 0.05);
    await until(`document.querySelectorAll('output')[2].textContent !== '${sagittal} of 40'`);
    const [top, , left] = (await slices()) as [number, number, number];
    assert.ok(top > 35 && left < 5, `${top} ${left}`);
  });
  it('takes a file that is dropped', async () => {
    const base64 = readFileSync(phantom).toString('base64');
    await page.evaluate(`(() => {
      const bytes = Uint8Array.from(atob('${base64}'), (c) => c.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], 'dropped.nii.gz'));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    })()`);
    await page
      .getByRole('status')
      .filter({ hasText: /^Segmented dropped\.nii\.gz: anterior .* ml/ })
      .waitFor();
  });
  it('says in a sentence what is wrong with a file, and goes on', async () => {
    const scan = readFileSync(phantom);
    const bad: [string, Uint8Array, RegExp][] = [
      ['text.nii', Buffer.from('no scan\n'.repeat(100)), /text\.nii: sizeof_hdr: .*not a NIfTI file/],
      [
        'half.nii.gz',
        scan.subarray(0, scan.length / 2),
        /half\.nii\.gz: the gzip stream is damaged or truncated/,
      ],
      ['short.nii', gunzipSync(scan).subarray(0, 5000), /short\.nii: the file is truncated/],
      ['empty.nii', Buffer.alloc(0), /empty\.nii: the file is empty/],
    ];
    for (const [name, bytes, message] of bad) {
      const file = join(folder, name);
      writeFileSync(file, bytes);
      await page.setInputFiles('#files', file);
      await page.getByRole('alert').filter({ hasText: message }).waitFor({ timeout: 5000 });
    }
    await page.setInputFiles('#files', [phantom, join(folder, 'text.nii')]);
    await page.getByRole('alert').filter({ hasText: 'one scan at a time' }).waitFor({ timeout: 5000 });
    await segment(phantom);
  });
  it('is used by the keyboard alone, and dark or narrow where the reader has it so', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.equal(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(20, 21, 22)');
    await page.setViewportSize({ width: 390, height: 800 });
    const boxes = await Promise.all((await page.locator('.plane').all()).map((plane) => plane.boundingBox()));
    assert.equal(new Set(boxes.map((box) => box?.x)).size, 1, 'one plane under the other');
    assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 390);
    await page.setViewportSize({ width: 1200, height: 900 });
    await page.evaluate('document.activeElement.blur(); window.scrollTo(0, 0)');
    const reached: string[] = [];
    for (let i = 0; i < 11; i++) {
      await page.keyboard.press('Tab');
      reached.push(
        await page.evaluate<string>('document.activeElement.id || document.activeElement.localName'),
      );
    }
    for (const part of ['files', 'canvas', 'input', 'save', 'summary'])
      assert.ok(reached.includes(part), reached.join());
  });
  it('asks for nothing, can ask for nothing, and logs no error', async () => {
    assert.deepEqual(
      requests.filter((url) => !url.startsWith('blob:null/')),
      [`file://${path}`],
    );
    // Chromium warns of this test's own look at the pixels.
    assert.deepEqual(
      errors.filter((text) => !text.startsWith('Canvas2D: Multiple readback')),
      [],
    );
    const blocked = await page.evaluate(`new Promise((resolve) => {
      document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
      fetch('http://127.0.0.1:9/').then(() => resolve('answered'), () => undefined);
    })`);
    assert.equal(blocked, 'connect-src');
  });
});

/** Pixels of the second label's colour in each canvas. */
const COUNT_BLUE = `[...document.querySelectorAll('.frame canvas')].map((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i + 2] > data[i] + 100 && data[i + 1] > data[i] + 60) count++;
  return count;
})`;

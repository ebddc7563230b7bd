// Figures and tables of an experiment with two splits, drawn from run folders as lunet writes them.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { loadExperiment } from '../../src/config/load.js';
import { type Experiment } from '../../src/config/schema.js';
import { type DrawnChart, drawCharts } from '../../src/report/charts/draw.js';
import { diceOverChannels } from '../../src/report/charts/dice-over-channels.js';
import { fontsFor, numbered } from '../../src/report/charts/font.js';
import { charts } from '../../src/report/charts/index.js';
import { assignLooks } from '../../src/report/charts/looks.js';
import { textWidth, wrapText } from '../../src/report/charts/text.js';
import { type Results, collectResults } from '../../src/report/results.js';
import { type Table } from '../../src/report/table.js';
import { markdownTable, reportTables } from '../../src/report/tables.js';
import { writeReport } from '../../src/report/write.js';
import { makeRuns } from './made-runs.js';

const LONG = 'W'.repeat(100);
const YAML = `experiment: drawn
dataset:
  layout: phantom
  phantom: { cases: 8, size: 8 }
  labels: { a: 1, b: 2 }
  splits:
    default: { train: 4, test: 4 }
    little: { train: 2, test: 6 }
preprocessing: { size: [8, 8, 8] }
models:
  - { family: unet, n: 2, levels: 2 }
  - { name: ${LONG}, family: lunet, n: 2, levels: 2 }
  - { name: сеть 海, family: lunet, n: 3, levels: 2 }
training: { epochs: 2, batch: 2, seeds: [1, 2] }
pruning: { strategies: [stamp, widest], snapshots: [75, 50] }
`;

describe('an experiment with two splits', () => {
  const output = mkdtempSync(join(tmpdir(), 'lunet-'));
  const path = join(output, 'drawn.yaml');
  let config: Experiment;
  let results: Results;
  let drawn: DrawnChart[];
  const svgOf = (name: string): string => drawn.find((chart) => chart.name === name)?.svg ?? '';

  before(async () => {
    writeFileSync(path, YAML);
    ({ config } = loadExperiment(path, [`output=${output}`]));
    await makeRuns(config);
    results = collectResults(config);
    drawn = await drawCharts(results);
  });

  it('has every chart once a split, named in file and title', () => {
    const expected = charts.flatMap(({ name, ofConfig }) =>
      ofConfig ? [name] : [`${name}-default`, `${name}-little`],
    );
    assert.deepEqual(
      drawn.map(({ name }) => name),
      expected,
    );
    for (const { name, title, svg } of drawn) {
      const split = /-(default|little)$/.exec(name)?.[1];
      if (split === undefined) continue;
      assert.match(title, new RegExp(`, split ${split}$`));
      assert.match(svg, new RegExp(`>Split: ${split}<`));
    }
  });

  it('shows nothing of one split in a figure of the other', async () => {
    const notLittle = <T extends { split: string }>(rows: readonly T[]): T[] =>
      rows.filter(({ split }) => split !== 'little');
    const { summary, steps, epochs, scores, records } = results;
    const alone = await drawCharts({
      ...results,
      summary: notLittle(summary),
      steps: notLittle(steps),
      epochs: notLittle(epochs),
      scores: notLittle(scores),
      records: notLittle(records),
    });
    // Vega numbers its clip paths and gradients consecutively, so the numbers differ between drawings.
    const still = (svg: string): string => svg.replace(/(clip|gradient_)\d+/g, '$1');
    for (const { name, svg } of alone) assert.ok(still(svg) === still(svgOf(name)), name);
    assert.equal(alone.length, (drawn.length + 1) / 2);
  });

  it('names every method in full, in letters that the picture can show', () => {
    for (const name of ['dice-over-channels', 'dice-over-parameters', 'methods', 'training-curves'])
      for (const split of ['default', 'little']) {
        const svg = svgOf(`${name}-${split}`);
        assert.ok(svg.includes(`>${LONG}<`), name);
        assert.ok(svg.includes('>сеть 海<'), name);
        const width = Number(/width="([\d.]+)"/.exec(svg)?.[1]);
        assert.ok(width > textWidth(LONG, 12), `${name} is ${width} wide`);
      }
  });

  it('draws the lines of a legend with the dashes of the figure', () => {
    const looks = assignLooks(results);
    const svg = svgOf('dice-over-channels-default');
    for (const [kind, method] of [
      ['train', 'unet-n2'],
      ['train', LONG],
      ['prune', 'stamp'],
      ['prune', 'widest'],
    ] as const) {
      const { colour, dash } = looks(kind, method);
      const drawnAs = svg
        .match(/<(?:path|line)[^>]*stroke-dasharray[^>]*>/g)
        ?.filter(
          (tag) => tag.includes(`stroke="${colour}"`) && tag.includes(`stroke-dasharray="${dash.join()}"`),
        );
      assert.equal(drawnAs?.length, 2, method);
    }
  });

  it('cuts lines off at the frame, and draws no point on its edge instead', () => {
    const steps = results.steps
      .filter(({ split }) => split === 'default')
      .map((row) => {
        const low = row.values.fraction < 0.7;
        return { ...row, values: { ...row.values, test_dice: low ? 0 : 0.9 } };
      });
    const one = { ...results, steps, summary: results.summary.filter(({ kind }) => kind !== 'train') };
    const text = JSON.stringify(diceOverChannels.spec(one, assignLooks(results)));
    assert.doesNotMatch(text, /"clamp":true/);
    assert.match(text, /"type":"line","strokeWidth":2,"clip":true/);
    const [, low, high] = (/"domain":\[(0\.[\d.]+),([\d.]+)\]/.exec(text) as RegExpExecArray).map(Number);
    assert.ok((low as number) > 0.6 && (low as number) < 0.72 && (high as number) > 0.9, `${low}, ${high}`);
    const marked =
      /"data":\{"values":\[((?:\{[^{}]*\},?)*)\]\},"mark":\{"type":"point"/.exec(text)?.[1] ?? '';
    const values = (marked.match(/"y":[\d.]+/g) ?? []).map((part) => Number(part.slice(4)));
    assert.ok(values.length > 0);
    assert.deepEqual([...new Set(values)], [0.9]);
  });

  it('keeps a level line in the frame, however low', () => {
    const summary = results.summary.map((row) =>
      row.method === LONG ? { ...row, dice_median: 0.05, dice_mad: 0 } : row,
    );
    const spec = diceOverChannels.spec({ ...results, summary }, assignLooks(results));
    const low = Number(
      /"domain":\[([\d.]+),/.exec(JSON.stringify(spec).slice(JSON.stringify(spec).indexOf('Test Dice')))?.[1],
    );
    assert.ok(low < 0.05, String(low));
  });

  it('removes figures of an earlier report, and no other file', async () => {
    const folder = await writeReport(results, [], false);
    const [stale, own] = [join(folder, 'methods.png'), join(folder, 'notes.png')];
    for (const file of [stale, own]) writeFileSync(file, '');
    await writeReport(results, reportTables(results), true);
    assert.deepEqual([existsSync(stale), existsSync(own)], [false, true]);
    assert.ok(existsSync(join(folder, 'methods-little.svg')));
  });

  const dice = (changed: Results): Table => reportTables(changed)[0] as Table;
  const titles = ({ columns }: Table): string[] => columns.map(({ title }) => title);

  it('has one column where splits agree and one a split where they do not', () => {
    assert.deepEqual(titles(dice(results)).slice(-3), ['Dice, default', 'Dice, little', 'Seeds']);
    const fewer = results.summary.map((row) => (row.split === 'little' ? { ...row, seeds: 1 } : row));
    const table = dice({ ...results, summary: fewer });
    assert.deepEqual(titles(table).slice(-2), ['Seeds, default', 'Seeds, little']);
    assert.deepEqual(table.rows[0]?.slice(-2), ['2', '1']);
    const smaller = results.summary.map((row) =>
      row.split === 'little' && row.method === 'stamp 75%' ? { ...row, parameters: 7 } : row,
    );
    const both = dice({ ...results, summary: smaller });
    const at = titles(both).indexOf('Parameters, default');
    const row = both.rows.find(([, method]) => method === 'stamp 75%');
    assert.equal(row?.[at + 1], '7');
    assert.notEqual(row?.[at], '7');
  });

  it('says so where splits have other seeds', () => {
    const records = results.records.map((record) =>
      record.split === 'little' && record.method === 'unet-n2'
        ? { ...record, seed: record.seed + 1 }
        : record,
    );
    const note = 'Seeds differ between splits, trained unet-n2: default 1, 2; little 2, 3.';
    assert.ok(dice({ ...results, records }).notes.includes(note));
    assert.ok(!dice(results).notes.some((each) => each.startsWith('Seeds differ between splits')));
  });

  it('says why nothing is compared with a reference that has not been run', () => {
    const records = results.records
      .filter(({ split, method }) => split !== 'little' || method !== 'unet-n2')
      .map((record) => {
        const status = record.method === 'unet-n2' ? 'interrupted' : record.status;
        return { ...record, status } as const;
      });
    const table = reportTables({ ...results, records, comparisons: [] })[1];
    assert.deepEqual(table?.rows, []);
    assert.deepEqual(table?.notes, [
      'Nothing is compared with unet-n2 in split default: it is interrupted, interrupted. Run: lunet train --model unet-n2 --split default, or choose another with --reference.',
      'Nothing is compared with unet-n2 in split little: it has not been trained. Run: lunet train --model unet-n2 --split little, or choose another with --reference.',
    ]);
    assert.doesNotMatch(markdownTable(table), /^\|/m);
  });

  it('refuses a reference that is no model', () => {
    assert.throws(() => collectResults(config, 'unet-n3'), {
      kind: 'usage',
      message: new RegExp(
        '^--reference: found unet-n3, expected one of unet-n2, .* \\(did you mean unet-n2\\?\\)$',
      ),
    });
  });
});

it('takes the fonts of the machine only where its own lack a character', () => {
  assert.equal(fontsFor('Dice ≤ 0.9 ± 0.1, сеть, شبكة').options.loadSystemFonts, false);
  // A code point that Unicode has not assigned, so that no font has it.
  assert.deepEqual([...fontsFor('a\u0379b').missing], ['\u0379']);
  assert.equal(numbered('海'), '\\u6d77');
});

it('breaks text behind spaces and hyphens, and words where they are too long', () => {
  assert.deepEqual(wrapText('pruned: random-in-block', textWidth('random-in-', 12), 12), [
    'pruned:',
    'random-in-',
    'block',
  ]);
  assert.deepEqual(wrapText('WWWWW', textWidth('WW', 12), 12), ['WW', 'WW', 'W']);
});

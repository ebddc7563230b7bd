// Dice on the grids of the files: what `lunet predict` and `lunet evaluate` find together, whatever preprocessing does.

import assert from 'node:assert/strict';
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { loadExperiment } from '../../../src/config/load.js';
import { loadDataset } from '../../../src/data/dataset.js';
import { readRun } from '../../../src/runs/run.js';
import { emptyFolder, lunet, readCsv } from '../lunet.js';

const cwd = emptyFolder();
const train = 'runs/grids/train/lunet-n2/seed-1';
const prune = 'runs/grids/prune/random/seed-1';

/** Larger than the window, at other spacings and in other orientations than it; two labels that overlap. */
const CONFIG = `experiment: grids
dataset:
  layout: decathlon
  root: phantoms
  labels: { whole: [1, 2], head: 1 }
  split: { train: 3, test: 3 }
preprocessing: { size: [16, 20, 8], spacing: [1.1, 1.3, 2.1] }
models: [{ family: lunet, n: 2, levels: 2, convs: 1 }]
training: { epochs: 8, batch: 2, seeds: [1], learningRate: 0.05 }
pruning: { strategies: [random], snapshots: [50] }
`;

function run(args: readonly string[], status = 0): string {
  const result = lunet(args, { cwd, env: { LUNET_CACHE: 'off' } });
  assert.equal(result.status, status, result.stderr);
  return result.stderr;
}

/** Dice by case of the masks that a model predicts for an output, as `lunet evaluate` measures it. */
function evaluated(model: string, output: string, values: string): Map<string, number> {
  const folder = `seg-${model.replace(/\W/g, '-')}`;
  run(['predict', model, '-i', 'phantoms/imagesTr', '-o', folder, '--separate', '--force']);
  const found = new Map<string, number>();
  for (const { case: id = '' } of readCsv(join(cwd, train, 'cases.csv'))) {
    const files = [`phantoms/labelsTr/${id}.nii.gz`, `${folder}/${id}/${output}.nii.gz`];
    rmSync(join(cwd, 'ev'), { recursive: true, force: true });
    run(['evaluate', ...files, '--labels', `${output}=${values}`, '--out', 'ev']);
    found.set(id, Number(readCsv(join(cwd, 'ev/cases.csv'))[0]?.['dice']));
  }
  return found;
}

before(() => {
  const mixed = ['--orientation', 'LPS,RAS,PIR', '--spacing', '1,0.8x0.8x1.6', '--jitter', '0.2'];
  run(['data', 'phantom', '--cases', '6', '--size', '24', ...mixed, '--out', 'phantoms']);
  writeFileSync(join(cwd, 'lunet.yaml'), CONFIG);
  run(['train']);
});

describe('Dice on the grids of the files', () => {
  it('is that of predicted masks, in cases.csv, record and summary, beside Dice on the training grid', () => {
    const rows = readCsv(join(cwd, train, 'cases.csv'));
    assert.deepEqual(Object.keys(rows[0] ?? {}), [
      'case', 'dice', 'dice_whole', 'dice_head', 'dice_original', 'dice_original_whole', 'dice_original_head',
    ]); // prettier-ignore
    // The masks of `head` have the value 1, as it has in the files; those of `whole` stand for 1 and 2.
    const found = { whole: evaluated(train, 'whole', '1+2'), head: evaluated(train, 'head', '1') };
    for (const row of rows)
      for (const label of ['whole', 'head'] as const) {
        const value = Number(row[`dice_original_${label}`]);
        assert.equal(value, found[label].get(row['case'] as string));
        assert.notEqual(value, Number(row[`dice_${label}`]));
      }
    assert.ok(
      rows.some((row) => Number(row['dice_original_whole']) > 0.05),
      JSON.stringify(rows),
    );
    const mean = (column: string): number => rows.reduce((sum, row) => sum + Number(row[column]), 0) / 3;
    const record = readRun(join(cwd, train));
    const [all = NaN, whole = NaN] = record?.testDiceOriginal ?? [];
    assert.ok(
      Math.abs(all - mean('dice_original')) < 1e-12 && Math.abs(whole - mean('dice_original_whole')) < 1e-12,
    );
    const [summary] = readCsv(join(cwd, 'runs/grids/summary.csv'));
    assert.equal(summary?.['dice_original_median'], String(all));
    assert.equal(summary?.['dice_original_mad'], '0');
  });

  it('is measured at snapshots and at the end of pruning, and shown in the report', () => {
    run(['prune']);
    const { snapshots, final, best } = readRun(join(cwd, prune))?.pruning ?? {};
    const rows = readCsv(join(cwd, prune, 'cases-50.csv'));
    const found = evaluated(`${prune}/snapshot-50.safetensors`, 'whole', '1+2');
    for (const row of rows)
      assert.equal(Number(row['dice_original_whole']), found.get(row['case'] as string));
    assert.equal(snapshots?.['50']?.testDiceOriginal?.length, 3);
    assert.equal(final?.testDiceOriginal?.length, 3);
    assert.equal(best?.testDiceOriginal, undefined);
    const { stdout } = lunet(['report'], { cwd });
    const head = final?.testDiceOriginal?.[2]?.toFixed(4) as string;
    assert.match(stdout, /Dice on stored grids/);
    assert.match(stdout, new RegExp(`random final +head +${head} ± 0.0000`));
  });

  it('needs the files as they were when the data set was read', async () => {
    const { config } = loadExperiment(join(cwd, 'lunet.yaml'));
    const dataset = await loadDataset({
      ...config,
      dataset: { ...config.dataset, root: join(cwd, 'phantoms') },
    });
    const id = dataset.ids[0] as string;
    assert.equal(dataset.keepsGrid(id), false);
    assert.ok((await dataset.original(id)).label.some((index) => index > 0));
    const label = join(cwd, 'phantoms/labelsTr', `${id}.nii.gz`);
    utimesSync(label, new Date(), new Date());
    await assert.rejects(
      dataset.original(id),
      /labelsTr\/phantom_\d+\.nii\.gz: has changed since the data set was read/,
    );
    rmSync(label);
    await assert.rejects(dataset.original(id), /cannot be read: no such file/);
  });
});

// Cross-validated Dice: on numbers made by hand, and on the folders of runs against the mean over all rows of their cases.csv.

import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { loadExperiment } from '../../src/config/load.js';
import { type Experiment } from '../../src/config/schema.js';
import { buildArchitecture } from '../../src/network/architecture.js';
import {
  type CrossValidation,
  crossValidate,
  crossValidatedColumns,
} from '../../src/report/cross-validation.js';
import { collectResults } from '../../src/report/results.js';
import { pooledMean } from '../../src/report/statistics.js';
import { reportTables } from '../../src/report/tables.js';
import { writeReport } from '../../src/report/write.js';
import { type FoundRun } from '../../src/runs/find.js';
import { type Cases, type RunRecord } from '../../src/runs/run.js';
import { readCsv } from '../cli/lunet.js';
import { makeRuns } from './made-runs.js';

const near = (a: number | undefined, b: number): void =>
  assert.ok(Math.abs((a ?? NaN) - b) < 1e-12, `${a}, ${b}`);

describe('a mean over groups', () => {
  it('is the mean over all their cases', () => {
    // 0.9, 0.8, 0.7 and 0.6, 0.4 and 0.2
    near(pooledMean([{ mean: 0.8, cases: 3 }, { mean: 0.5, cases: 2 }, { mean: 0.2, cases: 1 }]), 0.6); // prettier-ignore
  });
});

const CASES: Readonly<Record<string, Cases>> = {
  'fold-0': { train: ['d', 'e', 'f'], validation: [], test: ['a', 'b', 'c'] },
  'fold-1': { train: ['a', 'b', 'c', 'f'], validation: [], test: ['d', 'e'] },
  'fold-2': { train: ['a', 'c', 'd', 'e'], validation: ['b'], test: ['f'] },
};
/** Dice by seed, of fold-0, fold-1 and fold-2. Over all six cases: 0.6, 0.7 and 0.3. */
const DICE = { 1: [0.8, 0.5, 0.2], 2: [0.9, 0.5, 0.5], 3: [0.4, 0.1, 0.4] };

const architecture = buildArchitecture(
  { family: 'unet', n: 2, levels: 2, convs: 1, scale: 1, skips: true },
  1,
  1,
);

function run(seed: number, testDice: number[], cases: Cases, change: Partial<RunRecord> = {}): FoundRun {
  const record = {
    ...{ kind: 'train', method: 'unet', status: 'finished', labels: ['organ'] },
    ...{ architecture, parameters: 5, multiplyAdds: 6, seconds: 7 },
    ...{ seed, testDice, cases, ...change },
  };
  return { folder: `seed-${seed}`, record: record as unknown as RunRecord };
}

function crossed(change: (fold: string, runs: FoundRun[]) => FoundRun[], cases = CASES): CrossValidation {
  const config = { dataset: { split: { folds: 3, seed: 0, validation: 0 } }, models: [] };
  const folds = Object.entries(cases).map(([split, parts], at) => {
    const runs = Object.entries(DICE).map(([seed, dice]) => run(Number(seed), [dice[at] as number], parts));
    return { split, runs: change(split, runs) };
  });
  return crossValidate(config as unknown as Experiment, folds) as CrossValidation;
}

const whole = (_: string, runs: FoundRun[]): FoundRun[] => runs;

describe('cross-validated Dice', () => {
  it('is the mean over all cases for each seed, then the median and MAD over seeds', () => {
    const { rows, incomplete, obstacle } = crossed(whole);
    assert.equal(rows.length, 1);
    const { dice_median, dice_mad, ...rest } = rows[0] as (typeof rows)[number];
    assert.deepEqual(rest, { kind: 'train', method: 'unet', label: 'organ', upper_bound: false, seeds: [1, 2, 3], cases: 6, parameters: 5 }); // prettier-ignore
    near(dice_median, 0.6);
    near(dice_mad, 0.1);
    assert.deepEqual([incomplete, obstacle], [[], undefined]);
  });
  it('leaves out seeds without a result in some fold, and names both', () => {
    const without = crossed((fold, runs) =>
      fold === 'fold-1'
        ? runs.map(({ record }) => run(record.seed, [0.5], record.cases, record.seed === 1 ? { status: 'interrupted' } : {})) // prettier-ignore
        : runs,
    );
    assert.deepEqual(without.rows[0]?.seeds, [2, 3]);
    assert.deepEqual(without.incomplete, [
      { seeds: [1], folds: ['fold-1'], methods: [{ kind: 'train', method: 'unet' }] },
    ]);
    const none = crossed((fold, runs) => (fold === 'fold-2' ? [] : runs));
    assert.deepEqual(none.rows, []);
    assert.deepEqual(none.incomplete, [{ seeds: [1, 2, 3], folds: ['fold-2'], methods: [{ kind: 'train', method: 'unet' }] }]); // prettier-ignore
  });
  it('is not there if a case is tested twice, or folds have other voxels or cases', () => {
    const twice = {
      ...CASES,
      'fold-2': { train: ['a', 'b', 'c', 'd', 'e'], validation: [], test: ['f', 'b'] },
    };
    assert.deepEqual(crossed(whole, twice), {
      rows: [],
      obstacle: 'b is a test case of fold-0 and of fold-2',
      incomplete: [],
    });
    const changed = crossed((fold, runs) =>
      fold === 'fold-1'
        ? runs.map(({ record }) => run(record.seed, [0.5], record.cases, { foldsHash: 'b' }))
        : runs,
    );
    assert.equal(
      changed.obstacle,
      'seed-1 and seed-1 were run with other voxels or cases, so the data has changed in between',
    );
  });
});

const YAML = `experiment: folded
dataset:
  layout: phantom
  phantom: { cases: 7, size: 8 }
  labels: { organ: [1, 2] }
  split: { folds: 3, validation: 1 }
preprocessing: { size: [8, 8, 8] }
models: [{ family: unet, n: 2, levels: 2 }, { family: lunet, n: 2, levels: 2 }]
training: { epochs: 2, batch: 2, seeds: [1, 2] }
pruning: { strategies: [widest], snapshots: [50] }
`;

describe('the report of an experiment with folds', () => {
  const output = mkdtempSync(join(tmpdir(), 'lunet-'));
  const path = join(output, 'folded.yaml');
  let config: Experiment;

  before(async () => {
    writeFileSync(path, YAML);
    ({ config } = loadExperiment(path, [`output=${output}`]));
    await makeRuns(config);
  });

  /** The mean over the cases of all folds, and the mean of two seeds, which is their median. */
  function expected(folder: string, file: string): number {
    const means = [1, 2].map((seed) => {
      const dice = [0, 1, 2].flatMap((fold) =>
        readCsv(join(output, `folded/split-fold-${fold}`, folder, `seed-${seed}`, file)).map((row) =>
          Number(row.dice),
        ),
      );
      assert.equal(dice.length, 7);
      return dice.reduce((sum, value) => sum + value, 0) / 7;
    });
    return ((means[0] as number) + (means[1] as number)) / 2;
  }

  it('has the mean over all rows of cases.csv, in its rows and in summary.csv', async () => {
    const results = collectResults(config);
    const folder = await writeReport(results, [], false);
    const summary = readCsv(join(folder, 'summary.csv'));
    for (const [kind, method, at, file] of [
      ['train', 'unet-n2', 'train/unet-n2', 'cases.csv'],
      ['prune', 'widest 50%', 'prune/widest', 'cases-50.csv'],
      ['retrain', 'widest/50%-random', 'retrain/widest/50%-random', 'cases.csv'],
    ] as const) {
      const row = results.crossValidation?.rows.find((each) => each.kind === kind && each.method === method);
      assert.ok(Math.abs((row?.dice_median ?? NaN) - expected(at, file)) < 1e-6, method);
      const written = summary.filter((each) => each.kind === kind && each.method === method);
      assert.deepEqual(
        written.map(({ cv_dice_median, cv_seeds, cv_cases }) => [Number(cv_dice_median), cv_seeds, cv_cases]),
        [0, 1, 2].map(() => [row?.dice_median, '2', '7']),
      );
    }
  });
  it('has a table of it, before those of the folds', () => {
    const [table, byFold] = reportTables(collectResults(config));
    assert.equal(table?.title, 'Cross-validated test Dice, median ± MAD over seeds');
    assert.deepEqual(table?.rows.map(([, method]) => method), byFold?.rows.map(([, method]) => method)); // prettier-ignore
    assert.match(table?.rows.find(([, method]) => method === 'widest best')?.join() ?? '', /,[\d.]+,≤ 0\.\d{4} ± 0\.\d{4},7,1, 2$/); // prettier-ignore
    // The best unbiased value; several points of a pruning run may be the same network.
    const starred = table?.rows.map((row) => row[3] as string).filter((cell) => cell.startsWith('*')) ?? [];
    const unbiased = table?.rows.map((row) => row[3] as string).filter((cell) => !cell.startsWith('≤')) ?? [];
    assert.equal(starred[0]?.replaceAll('*', ''), unbiased.map((cell) => cell.replaceAll('*', '')).sort().at(-1)); // prettier-ignore
  });
  it('compares methods over the cases of all folds', () => {
    const { comparisons } = collectResults(config);
    const pooled = comparisons.filter(({ split }) => split === 'all folds');
    assert.deepEqual(pooled.map(({ method, pairs }) => [method, pairs]), [['widest 50%', 14], ['widest/50%-random', 14], ['lunet-n2', 14]]); // prettier-ignore
    const diceOf = (method: string, seed: number): number[] =>
      [0, 1, 2].flatMap((fold) =>
        readCsv(join(output, `folded/split-fold-${fold}/train`, method, `seed-${seed}/cases.csv`)).map(
          (row) => Number(row.dice),
        ),
      );
    const differences = [1, 2].flatMap((seed) => {
      const reference = diceOf('unet-n2', seed);
      return diceOf('lunet-n2', seed).map((dice, i) => dice - (reference[i] as number));
    });
    const sorted = [...differences].sort((a, b) => a - b);
    const middle = ((sorted[6] as number) + (sorted[7] as number)) / 2;
    near(pooled.at(-1)?.medianDifference, middle);
    // An unfinished fold takes its seed out of these comparisons, but not out of those of other folds.
    const folder = join(output, 'folded/split-fold-1/train/lunet-n2');
    renameSync(folder, `${folder}-away`);
    const left = collectResults(config).comparisons.filter(({ method }) => method === 'lunet-n2');
    renameSync(`${folder}-away`, folder);
    assert.deepEqual(left.map(({ split }) => split), ['fold-0', 'fold-2']); // prettier-ignore
  });
  it('has no runs of other settings', () => {
    const other = loadExperiment(path, [`output=${output}`, 'pruning.snapshots=[75, 50]']).config;
    const { rows = [] } = collectResults(other).crossValidation ?? {};
    assert.deepEqual(rows.map(({ method }) => method), ['unet-n2', 'lunet-n2']); // prettier-ignore
  });
  it('says what is left out, and why nothing is pooled', () => {
    const results = collectResults(config);
    const methods = [{ kind: 'train', method: 'unet-n2' }, { kind: 'prune', method: 'widest 50%' }] as const; // prettier-ignore
    const incomplete = [{ seeds: [2, 3], folds: ['fold-0', 'fold-2'], methods }];
    const notes = (crossValidation: CrossValidation): readonly string[] =>
      reportTables({ ...results, crossValidation })[0]?.notes ?? [];
    assert.deepEqual(notes({ rows: [], incomplete }), [
      'Left out of cross-validation: seeds 2, 3 of trained unet-n2, pruned widest 50%, without a result in fold-0, fold-2.',
    ]);
    assert.deepEqual(notes({ rows: [], incomplete: [], obstacle: 'b is tested twice' }), [
      'Nothing is cross-validated: b is tested twice.',
    ]);
  });
  it('has no columns of it without folds', () => {
    const { config: plain } = loadExperiment(path, ['dataset.split={train: 4, test: 3}']);
    assert.equal(crossValidate(plain, []), undefined);
    assert.deepEqual(crossValidatedColumns(undefined, { kind: 'train', method: 'unet-n2', label: 'organ' }), {}); // prettier-ignore
  });
});

// Pruning from the command line: the files about targeted dropout, settings that are refused, and cases whose voxels are too
// large for the network.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { writeNifti } from '../../../src/data/nifti/write.js';
import { emptyFolder, lunet, readCsv } from '../lunet.js';
import { TINY } from '../tiny.js';

const PRUNE = ['prune', '--strategy', 'stamp', '--seeds', '1'];
const PRUNED = 'runs/tiny/prune/stamp/seed-1';

function workFolder(config = TINY): string {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'lunet.yaml'), config);
  return cwd;
}

describe('targeted dropout', () => {
  // Prunable are encoder.0.0 with 2 channels and encoder.1.0 with 4; a snapshot after each removal keeps the scores.
  const cwd = workFolder();
  const folder = join(cwd, PRUNED);
  before(() => {
    const { status, stderr } = lunet([...PRUNE, '--set', 'pruning.snapshots=[84, 67, 50]'], { cwd });
    assert.equal(status, 0, stderr);
  });
  const rates = (): Record<string, string>[] => readCsv(join(folder, 'dropout.csv'));

  it('has a row for each step and layer, beginning with a tenth of the base, none for the last layer', () => {
    const steps = readCsv(join(folder, 'steps.csv'));
    const layers = ['encoder.0.0', 'encoder.1.0', 'decoder.0.0'];
    assert.deepEqual(
      rates().map(({ step, layer, channels }) => [step, layer, channels]),
      steps.flatMap((row) => layers.map((layer) => [row['step'], layer, row[layer]])),
    );
    assert.deepEqual(
      rates()
        .slice(0, 3)
        .map(({ rate }) => Number(rate)),
      [0.005, 0.005, 0],
    );
  });
  it('follows from the scores by which the channel before went', () => {
    const scores = readCsv(join(folder, 'scores.csv'));
    const steps = [...new Set(scores.map(({ step }) => step))];
    assert.deepEqual(steps, ['1', '2', '3']);
    for (const step of steps) {
      const ranked = scores
        .filter((row) => row['step'] === step && row['layer'] !== 'decoder.0.0')
        .sort((a, b) => Number(b['score']) - Number(a['score']));
      assert.equal(
        ranked.findIndex(({ chosen }) => chosen === 'true'),
        ranked.length - 1,
        'the lowest goes',
      );
      // From the highest score, which has rank 0, to the lowest.
      const mean = (layer: string): number => {
        const own = ranked.flatMap((row, rank) => (row['layer'] === layer ? rank : []));
        return own.reduce((a, b) => a + b, 0) / own.length;
      };
      const [first, second] = [mean('encoder.0.0'), mean('encoder.1.0')];
      const expected = [first, second, 0].map((value) => (0.05 * value) / Math.max(first, second));
      const found = rates().filter((row) => Number(row['step']) === Number(step) + 1);
      for (const [i, rate] of expected.entries())
        assert.ok(
          Math.abs(Number(found[i]?.['rate']) - rate) < 1e-9,
          `after step ${step}: ${JSON.stringify(found)}`,
        );
    }
  });
});

describe('scoring', () => {
  it('is a setting of the run, for strategies that score', () => {
    const cwd = workFolder();
    const short = ['--set', 'pruning.recoveryEpochs=1', '--set', 'pruning.collapse={floor: 1, steps: 1}'];
    const prune = (...args: string[]): ReturnType<typeof lunet> =>
      lunet([...PRUNE, ...short, ...args], { cwd });
    assert.equal(prune().status, 0);
    const { identity } = JSON.parse(readFileSync(join(cwd, PRUNED, 'run.json'), 'utf8')) as {
      identity: { pruning: Record<string, unknown> };
    };
    assert.equal(identity.pruning['scoring'], 'evaluation');
    const other = prune('--set', 'pruning.scoring=training');
    assert.equal(other.status, 2);
    assert.match(other.stderr, /pruning\.scoring \("evaluation" then, "training" now\)/);
    const widest = ['prune', '--strategy', 'widest', '--seeds', '1', ...short];
    assert.equal(lunet(widest, { cwd }).status, 0);
    assert.equal(lunet([...widest, '--set', 'pruning.scoring=training'], { cwd }).status, 0);
  });
  for (const [what, set, message] of [
    [
      'one training case',
      'dataset.split.train=1',
      /l1-std needs several training cases: found 1.*expected 2/,
    ],
    ['a batch of one', 'training.batch=1', /l1-std needs several cases in a batch: found training.batch 1/],
  ] as const)
    it(`by l1-std is refused for ${what}, and is no matter to strategies that do not score`, () => {
      const cwd = workFolder();
      const { status, stderr } = lunet([...PRUNE, '--criterion', 'l1-std', '--set', set], { cwd });
      assert.equal(status, 2);
      assert.match(stderr, message);
      const dry = ['prune', '--dry-run', '--strategy', 'widest', '--criterion', 'l1-std', '--set', set];
      assert.equal(lunet(dry, { cwd }).status, 0);
    });
  it('by l1-std leaves a number everywhere when one case is left for the last batch', () => {
    const cwd = workFolder();
    const { status, stderr } = lunet([...PRUNE, '--criterion', 'l1-std'], { cwd });
    assert.equal(status, 0, stderr);
    const folder = join(cwd, 'runs/tiny/prune/stamp-l1-std/seed-1');
    const rows = readCsv(join(folder, 'scores.csv'));
    assert.ok(rows.length > 0 && rows.every(({ score }) => Number(score) >= 0 && score !== ''));
  });
});

describe('a case whose voxels overflow the network', () => {
  const cwd = emptyFolder();
  const config = (split: string): string =>
    TINY.replace(/dataset:[^]*?preprocessing: \{/, () =>
      [
        'dataset:',
        '  layout: decathlon',
        '  root: data',
        '  labels: { hippocampus: [1, 2] }',
        `  split: ${split}`,
        'preprocessing: { normalisation: none,',
      ].join('\n'),
    );
  let ids: string[] = [];
  before(async () => {
    const made = [
      'data',
      'phantom',
      '--kind',
      'hippocampus',
      '--cases',
      '6',
      '--size',
      '16',
      '--out',
      'data',
    ];
    const { status, stderr } = lunet(made, { cwd });
    assert.equal(status, 0, stderr);
    ids = readdirSync(join(cwd, 'data/imagesTr'))
      .map((file) => file.replace('.nii.gz', ''))
      .sort();
    // The voxel is finite in single precision, but every convolution of it overflows.
    const voxels = Float32Array.from({ length: 16 ** 3 }, (_, i) => (i % 3 === 0 ? -3e38 : 3e38));
    const image = join(cwd, 'data/imagesTr', `${ids[5] as string}.nii.gz`);
    await writeNifti(image, { size: [16, 16, 16], spacing: [4, 4, 4], voxels });
  });
  const list = (from: number, to: number): string => `[${ids.slice(from, to).join(', ')}]`;
  const splits: [string, () => string][] = [
    ['test', () => `{ train: ${list(0, 4)}, test: ${list(4, 6)} }`],
    ['validation', () => `{ train: ${list(0, 4)}, validation: ${list(5, 6)}, test: ${list(4, 5)} }`],
  ];
  for (const [part, split] of splits)
    for (const command of [
      ['train', '--model', 'lunet-n2'],
      ['prune', '--strategy', 'widest'],
    ])
      it(`is named by lunet ${command[0]} when it is for ${part}`, () => {
        writeFileSync(join(cwd, 'lunet.yaml'), config(split()));
        const { status, stderr } = lunet([...command, '--seeds', '1', '--overwrite'], { cwd });
        assert.equal(status, 3, stderr);
        assert.match(
          stderr,
          new RegExp(`case ${ids[5]}: found voxels of up to 3\\.0e\\+38.*preprocessing\\.normalisation`),
        );
        assert.doesNotMatch(stderr, /\n +at /, 'no stack trace');
      });
  it('is no trouble when it is normalised', () => {
    writeFileSync(join(cwd, 'lunet.yaml'), config((splits[0] as [string, () => string])[1]()));
    const set = ['--set', 'preprocessing.normalisation=z-score', '--set', 'experiment=normalised'];
    const { status, stderr } = lunet(['train', '--model', 'lunet-n2', '--seeds', '1', ...set], { cwd });
    assert.equal(status, 0, stderr);
  });
});

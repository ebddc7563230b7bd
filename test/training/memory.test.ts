// The memory check before data is read and networks are trained.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadExperiment } from '../../src/config/load.js';
import { modelArchitecture } from '../../src/config/models.js';
import { type Experiment, type ModelConfig } from '../../src/config/schema.js';
import { type Engine, type NetworkSettings } from '../../src/engine/engine.js';
import { createEngine } from '../../src/engine/index.js';
import { UserError } from '../../src/errors.js';
import { requireMemory } from '../../src/training/memory.js';
import { emptyFolder, lunet } from '../cli/lunet.js';
import { TINY } from '../cli/tiny.js';

const GIB = 2 ** 30;
const folder = emptyFolder();

function experiment(...settings: string[]): Experiment {
  const path = join(folder, 'tiny.yaml');
  writeFileSync(path, TINY);
  return loadExperiment(path, settings).config;
}

/** An engine whose networks need one GiB per case of a batch. */
const greedy = { estimateMemory: ({ maxBatch }: NetworkSettings) => maxBatch * GIB };

async function complaint(config: Experiment, limits: { jobs?: number; total?: number }): Promise<string> {
  try {
    await requireMemory(config, greedy, config.models, limits);
  } catch (error) {
    assert.ok(error instanceof UserError && error.kind === 'engine', String(error));
    return error.message;
  }
  return 'enough';
}

describe('memory for training', () => {
  it('names need, what is free, and the batch that would fit', async () => {
    const config = experiment('training.batch=5');
    assert.equal(await complaint(config, { total: 6 * GIB }), 'enough');
    assert.match(
      await complaint(config, { total: 3.5 * GIB }),
      /^unet-n2 needs about 5\.0 GiB of memory \(0\.0 GiB of it for 9 cases\), 3\.5 GiB are free: training\.batch 3 would fit/,
    );
    assert.match(await complaint(config, { total: GIB / 2 }), /choose a smaller preprocessing\.size/);
  });
  it('is divided among runs at a time', async () => {
    const config = experiment('training.batch=5');
    assert.equal(await complaint(config, { total: 16 * GIB, jobs: 3 }), 'enough');
    assert.match(
      await complaint(config, { total: 12 * GIB, jobs: 4 }),
      /3\.0 GiB are free for each of 4 runs at a time: fewer --jobs would do \(2\)/,
    );
  });
  it('counts each listed case once, and only those that are used', async () => {
    const config = experiment(
      'dataset={layout: folders, root: nowhere, labels: {a: 1}, splits: {x: {train: [a, b], test: [c]}, y: {train: [b, d], test: [a]}}}', // prettier-ignore
      'preprocessing.size=[512, 512, 512]',
    );
    assert.match(await complaint(config, { total: GIB }), /\(2\.5 GiB of it for 4 cases\)/);
  });
  it('counts the files of the data set for folds', async () => {
    const root = emptyFolder();
    for (const kind of ['images', 'labels']) {
      mkdirSync(join(root, kind));
      for (const id of ['a', 'b', 'c']) writeFileSync(join(root, kind, `${id}.nii.gz`), '');
    }
    const config = experiment(
      `dataset={layout: folders, root: ${root}, labels: {a: 1}, split: {folds: 3}}`,
      'preprocessing.size=[512, 512, 512]',
    );
    assert.match(await complaint(config, { total: GIB }), /\(1\.9 GiB of it for 3 cases\)/);
  });
  it('does not overflow with batches that no data set has', async () => {
    const config = experiment(
      'dataset={layout: folders, root: nowhere, labels: {a: 1}, split: {train: 4000000000, test: 1}}',
      'training.batch=4000000000',
    );
    assert.match(await complaint(config, { total: 3.5e9 * GIB }), /training\.batch 34\d{8} would fit/);
  });
});

describe('the native engine', () => {
  const settings = (size: [number, number, number], maxBatch = 1): NetworkSettings => {
    const config = experiment();
    return {
      architecture: modelArchitecture(config.models[0] as ModelConfig, 1, 1),
      size,
      maxBatch,
      targets: new Uint32Array(256),
      adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    };
  };
  it('estimates sizes and batches beyond what it computes on, and refuses those in words', async () => {
    const engine: Engine = await createEngine('native');
    const half = engine.estimateMemory(settings([1024, 1024, 1024]));
    const whole = engine.estimateMemory(settings([2048, 1024, 1024]));
    assert.ok(Math.abs(whole / half - 2) < 0.05, `${whole / half}`);
    const largest = engine.estimateMemory(settings([2048, 2048, 2048]));
    assert.ok(Math.abs(largest / half - 8) < 0.2, `${largest / half}`);
    const many = engine.estimateMemory(settings([16, 16, 16], 4e9));
    assert.ok(Math.abs(many / engine.estimateMemory(settings([16, 16, 16], 1e6)) - 4000) < 1, String(many));
    await assert.rejects(
      engine.load(settings([2048, 2048, 2048]), new Map()),
      (error) => error instanceof UserError && error.kind === 'engine' && /memory|at most 2000000000 voxels/.test(error.message), // prettier-ignore
    );
  });
});

describe('commands that would need more memory than there is', () => {
  for (const args of [
    ['train'],
    ['run'],
    ['run', '--dry-run'],
    ['run', '--jobs', '4'],
    ['prune', '--strategy', 'widest'],
  ])
    it(`lunet ${args.join(' ')} says so in one line, before anything is read`, () => {
      const cwd = emptyFolder();
      const phantom = 'dataset.phantom={kind: hippocampus, cases: 9, size: 16}';
      writeFileSync(join(cwd, 'lunet.yaml'), TINY);
      const size = 'preprocessing.size=[2048, 2048, 1024]';
      const { status, stderr } = lunet([...args, '--set', size, '--set', phantom, '--engine', 'native'], {
        cwd,
      });
      assert.equal(status, 4, stderr);
      const errors = stderr.split('\n').filter((line) => line.startsWith('error:'));
      assert.equal(errors.length, 1, stderr);
      assert.match(
        errors[0] as string,
        /^error: unet-n2 needs about \d+\.\d GiB of memory \(\d+\.\d GiB of it for 9 cases\)/,
      );
      assert.doesNotMatch(stderr, /Loading|bug in lunet/);
    });
});

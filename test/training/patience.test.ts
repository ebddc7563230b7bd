import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadExperiment } from '../../src/config/load.js';
import { type Experiment } from '../../src/config/schema.js';
import { loadDataset } from '../../src/data/dataset.js';
import { createEngine } from '../../src/engine/index.js';
import { FILES } from '../../src/runs/folders.js';
import { type RunRecord } from '../../src/runs/run.js';
import { sha256 } from '../../src/sha256.js';
import { planTraining, trainingRun } from '../../src/training/training-runs.js';
import { trainRun } from '../../src/training/run.js';

const folder = mkdtempSync(join(tmpdir(), 'lunet-patience-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const engine = await createEngine('native', { threads: 1 });

const EXPERIMENT = `experiment: patience
dataset:
  layout: phantom
  phantom: { cases: 8, size: 16 }
  labels: { hippocampus: [1, 2] }
  split: { train: 4, validation: 2, test: 2 }
preprocessing: { size: [16, 16, 16] }
models: [{ family: lunet, n: 2, levels: 2, convs: 1 }]
training: { epochs: 6, batch: 2, seeds: [1] }
`;

function load(name: string, ...change: string[]): Experiment {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, EXPERIMENT);
  return loadExperiment(path, [`output=${join(folder, name)}`, ...change]).config;
}

async function train(
  config: Experiment,
  stopAfter = Infinity,
): Promise<{ record: RunRecord; folder: string }> {
  const dataset = await loadDataset(config);
  const abort = new AbortController();
  const context = { config, dataset, engine, overwrite: false, signal: abort.signal, warn: () => undefined };
  const [planned] = planTraining(config, {});
  const run = trainingRun(config, planned as NonNullable<typeof planned>, dataset);
  const progress = (epoch: number): void => {
    if (epoch >= stopAfter) abort.abort();
  };
  return { record: await trainRun(context, run, { progress }), folder: run.folder };
}

const bytes = (run: string, file: string): string => sha256(readFileSync(join(run, file)));

describe('patience', () => {
  // With this rate the Dice does not change, so the first epoch stays the best.
  const still = ['training.learningRate=1e-30', 'training.patience=2'];

  it('ends a run whose validation Dice does not rise; the best network is kept', async () => {
    const { record, folder } = await train(load('still', ...still));
    assert.equal(record.status, 'finished');
    assert.deepEqual([record.best?.epoch, record.stoppedAt], [1, 3]);
    const rows = readFileSync(join(folder, FILES.epochs), 'utf8').trim().split('\n');
    assert.equal(rows.length, 1 + 3);
    assert.equal(record.files?.[FILES.bestModel], bytes(folder, FILES.bestModel));
    // Running statistics of batch norm go on changing, so the last network is another one.
    assert.notEqual(bytes(folder, FILES.bestModel), bytes(folder, FILES.model));
  });

  it('of 0 never ends a run, and the best epoch is that with the largest validation Dice', async () => {
    const { record, folder } = await train(load('rising', 'training.learningRate=0.02'));
    assert.equal(record.stoppedAt, undefined);
    const [head, ...rows] = readFileSync(join(folder, FILES.epochs), 'utf8').trim().split('\n');
    const at = (head as string).split(',').indexOf('validation_dice');
    const dice = rows.map((row) => Number(row.split(',')[at]));
    assert.equal(record.best?.epoch, 1 + dice.indexOf(Math.max(...dice)));
    assert.equal(record.best.validationDice[0], Math.max(...dice));
  });

  it('is the same after an interruption', async () => {
    const whole = await train(load('whole', ...still));
    const config = load('broken', ...still);
    assert.equal((await train(config, 2)).record.status, 'interrupted');
    const resumed = await train(config);
    assert.deepEqual([resumed.record.best, resumed.record.stoppedAt], [whole.record.best, 3]);
    for (const file of [FILES.bestModel, FILES.model])
      assert.equal(tensors(resumed.folder, file), tensors(whole.folder, file), file);
  });
});

/** The digest of the tensors of a model file: its metadata names the experiment. */
function tensors(run: string, file: string): string {
  const content = readFileSync(join(run, file));
  return sha256(content.subarray(8 + Number(content.readBigUInt64LE(0))));
}

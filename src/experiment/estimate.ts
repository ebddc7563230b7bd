// Estimates the cost of an experiment: multiply-adds of each run, seconds from a short measurement of its models, bytes on
// disk.

import { type Experiment } from '../config/schema.js';
import { samplesPerEpoch, windowSize } from '../config/window.js';
import { volumeSize } from '../data/preprocess.js';
import { type Engine } from '../engine/engine.js';
import { secondsPerMultiplyAdd } from '../engine/bench.js';
import { type Architecture, listLayers } from '../network/architecture.js';
import { countMultiplyAdds } from '../network/cost.js';
import { countParameters } from '../network/parameters.js';
import { type SplitSizes, splitSizes } from '../data/split-sizes.js';
import { strategies } from '../pruning/strategies/index.js';
import { exemplaryPath, type Task } from './tasks.js';

/** Multiply-adds of a training step relative to a forward pass: input and weight gradients each take as many. */
const TRAINING = 3;
const BYTES_PER_ROW = 150;

/**
 * Multiply-adds of a whole run with that many cases; pruned networks are taken from the exemplary path. Where networks see patches,
 * sizes of cases are not known before they are read: each counts as one window when it is evaluated.
 */
export function runMultiplyAdds(
  config: Experiment,
  task: Task,
  sizes: ReadonlyMap<string, SplitSizes>,
): number {
  const [depth, height, width] = volumeSize(windowSize(config));
  const forward = (architecture: Architecture): number =>
    countMultiplyAdds(architecture, depth * height * width);
  const { train, validation, test } = sizes.get(task.split) as SplitSizes;
  const samples = samplesPerEpoch(config.training, train);
  if (task.kind !== 'prune') {
    const { epochs, evaluateEvery } = config.training;
    const count = task.kind === 'retrain' ? config.retraining.epochs : epochs;
    const evaluations = Math.ceil(count / evaluateEvery) + 1;
    return forward(task.architecture) * (count * TRAINING * samples + evaluations * (test + validation));
  }
  const scored = strategies[task.strategy ?? 'widest'].scores;
  const perStep =
    config.pruning.recoveryEpochs * TRAINING * samples + test + validation + (scored ? train : 0);
  return exemplaryPath(task.architecture).reduce((sum, step) => sum + forward(step) * perStep, 0);
}

/** An upper limit of the bytes that a run writes: tensors, two checkpoints with optimizer state, snapshots, rows. */
export function diskBytes(config: Experiment, task: Task): number {
  const tensors = 4 * countParameters(task.architecture) + 10_000;
  const snapshots = task.kind === 'prune' ? config.pruning.snapshots.length : 0;
  const rows = task.kind === 'prune' ? exemplaryPath(task.architecture).length : config.training.epochs;
  // A step adds one row to steps.csv and, for each layer, one to dropout.csv, which is half as long.
  const rowsEach = task.kind === 'prune' ? 1 + listLayers(task.architecture).length / 2 : 1;
  return tensors * (2 + 2 * 3 + snapshots) + 3 * BYTES_PER_ROW * rows * rowsEach + 20_000;
}

/**
 * Seconds that each task takes if it has the whole machine, from a few measured steps of each distinct starting network.
 */
export async function estimateSeconds(
  config: Experiment,
  tasks: readonly Task[],
  engine: Engine,
): Promise<number[]> {
  const size = volumeSize(windowSize(config));
  const sizes = await splitSizes(config);
  const measured = new Map<string, number>();
  const seconds: number[] = [];
  for (const task of tasks) {
    const key = JSON.stringify(task.architecture);
    const { train } = sizes.get(task.split) as SplitSizes;
    const batch = Math.min(config.training.batch, samplesPerEpoch(config.training, train), 4);
    const rate = measured.get(key) ?? (await secondsPerMultiplyAdd(engine, task.architecture, size, batch));
    measured.set(key, rate);
    seconds.push(rate * runMultiplyAdds(config, task, sizes));
  }
  return seconds;
}

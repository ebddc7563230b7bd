// Makes the run folders of a whole experiment in seconds with the code of lunet, except for the engine: it computes nothing
// and returns plausible numbers.

import { type Experiment } from '../../src/config/schema.js';
import { loadDataset } from '../../src/data/dataset.js';
import { type Engine, type Network } from '../../src/engine/engine.js';
import { totalChannels } from '../../src/network/architecture.js';
import { countParameters } from '../../src/network/parameters.js';
import { initialOptimizerState } from '../../src/network/weights.js';
import { planPruning, pruningRun } from '../../src/pruning/pruning-runs.js';
import { pruneRun } from '../../src/pruning/loop.js';
import { planRetraining, retrainingRun } from '../../src/pruning/retraining-runs.js';
import { stream } from '../../src/random.js';
import { planTraining, trainingRun } from '../../src/training/training-runs.js';
import { trainRun } from '../../src/training/run.js';

/** Does all runs of an experiment on phantoms; those of the last seed stop after `stopAfter` epochs or steps, if given. */
export async function makeRuns(config: Experiment, { stopAfter = Infinity } = {}): Promise<void> {
  process.env['LUNET_CACHE'] = 'off';
  const dataset = await loadDataset(config);
  const lastSeed = config.training.seeds.at(-1);
  const context = (seed: number) => {
    const controller = new AbortController();
    const progress = (done: number): void => {
      if (seed === lastSeed && done >= stopAfter) controller.abort();
    };
    const warn = (message: string): never => assertNever(message);
    const shared = { config, dataset, engine: plausibleEngine(), overwrite: false, warn };
    return [{ ...shared, signal: controller.signal }, { progress }] as const;
  };
  for (const planned of planTraining(config, {})) {
    const [run, options] = context(planned.seed);
    await trainRun(run, trainingRun(config, planned, dataset), options);
  }
  for (const planned of planPruning(config, {})) {
    const [run, options] = context(planned.seed);
    await pruneRun(run, pruningRun(planned, dataset), options);
  }
  const seeds = config.training.seeds.filter((seed) => stopAfter === Infinity || seed !== lastSeed);
  if (seeds.length === 0) return;
  for (const planned of planRetraining(config, { seeds })) {
    const [run, options] = context(planned.seed);
    await trainRun(run, retrainingRun(config, planned, dataset), options);
  }
}

function assertNever(message: string): never {
  throw new Error(`unexpected warning: ${message}`);
}

/** A network for one run. Small networks get a slightly lower Dice; very small ones, and all at the start, a much lower one. */
function plausibleEngine(): Engine {
  let steps = 0;
  return {
    description: { name: 'plausible', device: 'none', threads: 1 },
    estimateMemory: () => 0,
    load: ({ architecture }, weights) => {
      const parameters = countParameters(architecture);
      const channels = totalChannels(architecture);
      const first = [...weights.values()][0]?.data[0] ?? 0;
      const random = stream(Math.floor(Math.abs(first) * 1e9), 'plausible', parameters);
      const noise = (size: number): number => size * (random.uniform() - 0.5);
      const most = 0.9 - 3 / parameters ** 0.6 + noise(0.01);
      const dice = (): number => Math.max(0, most * (1 - Math.exp(-steps / 12)) + noise(0.02));
      const squares = (cases: number): Float64Array =>
        Float64Array.from({ length: cases * channels }, () => random.uniform() ** 2);
      const unused = (): never => assertNever('this call of the engine');
      const network: Network = {
        trainStep: () => {
          steps++;
          return Promise.resolve(1 - dice());
        },
        evaluate: (batch) =>
          Promise.resolve(
            batch.map(() => ({
              intersection: Float64Array.of(100 * dice()),
              predicted: Float64Array.of(100),
              target: Float64Array.of(100),
            })),
          ),
        activationSums: (batch) =>
          Promise.resolve({ channels, sum: squares(batch.length), sumOfSquares: squares(batch.length) }),
        predict: unused,
        gradients: unused,
        synflowGradients: unused,
        readWeights: () => Promise.resolve(weights),
        readOptimizerState: () => Promise.resolve({ ...initialOptimizerState(architecture), step: steps }),
        interrupt: () => undefined,
        dispose: () => undefined,
      };
      return Promise.resolve(network);
    },
  };
}

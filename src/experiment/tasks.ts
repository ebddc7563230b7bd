// Lists all runs that a config describes: train all models, prune with all strategies, retrain all snapshots, for every
// split and seed. Each run has its own command line, on every executor.

import { relative } from 'node:path';
import { configuredArchitecture, prunedModel } from '../config/models.js';
import { type Experiment, type Init } from '../config/schema.js';
import { hasNamedSplits } from '../config/splits.js';
import { type Architecture } from '../network/architecture.js';
import { prunableChannels } from '../network/surgery.js';
import { planPruning, type PlannedPruning } from '../pruning/pruning-runs.js';
import { retrainingMethod } from '../pruning/retraining-runs.js';
import { schedule } from '../pruning/schedule.js';
import { type StrategyName } from '../pruning/strategies/index.js';
import { experimentFolder, runFolder, splitFolder, type RunKind } from '../runs/folders.js';
import { type Identity } from '../runs/identity.js';
import { planTraining } from '../training/training-runs.js';

/** One run of an experiment. */
export interface Task {
  /** Its folder, relative to that of the experiment: `prune/widest/seed-1`. */
  readonly id: string;
  readonly kind: RunKind;
  readonly split: string;
  readonly method: string;
  readonly seed: number;
  readonly folder: string;
  /** The command line that does only this run, without config, settings and engine. */
  readonly argv: readonly string[];
  /** The starting network; for a retraining run, whose network is not known yet, one with the same number of channels. */
  readonly architecture: Architecture;
  /** The identity that a run on disk must have; that of a retraining run depends on its pruning run. */
  readonly identity?: Identity;
  /** For a pruning run. */
  readonly strategy?: StrategyName;
  /** For a retraining run. */
  readonly retrains?: Retrained;
}

export interface Retrained {
  readonly pruning: Task;
  readonly percent: number;
  readonly init: Init;
}

/** The runs of an experiment, in an order in which they can be done one by one. */
export function planExperiment(config: Experiment): Task[] {
  const common = (kind: RunKind, split: string, method: string, seed: number) => {
    const folder = runFolder(splitFolder(config, split), kind, method, seed);
    return { id: relative(experimentFolder(config), folder), kind, split, method, seed, folder };
  };
  const which = (split: string, seed: number): string[] => [
    '--seeds',
    String(seed),
    ...(hasNamedSplits(config) ? ['--split', split] : []),
  ];
  const train = planTraining(config, {}).map(({ split, model, method, seed, identity }): Task => ({
    ...common('train', split, method, seed),
    argv: ['train', '--model', method, ...which(split, seed)],
    architecture: configuredArchitecture(config, model),
    identity,
  }));
  // All pruning runs share one starting network, and one exemplary path from it.
  const start = configuredArchitecture(config, prunedModel(config));
  const prune = planPruning(config, {}).map((planned: PlannedPruning): Task => ({
    ...common('prune', planned.split, planned.method, planned.seed),
    argv: ['prune', '--strategy', planned.strategy, ...which(planned.split, planned.seed)],
    architecture: start,
    identity: planned.identity,
    strategy: planned.strategy,
  }));
  const path = exemplaryPath(start);
  const { strategies, snapshots, init: inits } = config.retraining;
  const retrain = prune.flatMap((pruning) =>
    strategies.includes(pruning.strategy as StrategyName)
      ? snapshots.flatMap((percent) => {
          const architecture = atShare(path, percent);
          return architecture === undefined
            ? []
            : inits.map((init): Task => {
                const { split, seed } = pruning;
                const point = ['--from-snapshot', `${percent}%`, '--init', init];
                return {
                  ...common('retrain', split, retrainingMethod(pruning.method, { percent }, init), seed),
                  argv: ['retrain', '--strategy', pruning.method, ...point, ...which(split, seed)],
                  architecture,
                  retrains: { pruning, percent, init },
                };
              });
        })
      : [],
  );
  return [...train, ...prune, ...retrain];
}

const paths = new WeakMap<Architecture, readonly Architecture[]>();

/** The networks from all channels down to one per layer, in the order of `widest`: the only order known in advance. */
export function exemplaryPath(start: Architecture): readonly Architecture[] {
  const path = paths.get(start) ?? schedule('widest', start, 0).map(({ architecture }) => architecture);
  paths.set(start, path);
  return path;
}

/** The first network of a path with at most that percentage of prunable channels; undefined if there is none. */
function atShare(path: readonly Architecture[], percent: number): Architecture | undefined {
  const total = prunableChannels(path[0] as Architecture);
  return path.find((architecture) => prunableChannels(architecture) <= (total * percent) / 100);
}

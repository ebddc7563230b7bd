// Which runs `lunet prune` stands for: every split, strategy and seed of the experiment, or those asked for.

import { modelArchitecture, modelName, prunedModel } from '../config/models.js';
import {
  type Criterion,
  type Experiment,
  type ModelConfig,
  STRATEGIES,
  type Strategy,
} from '../config/schema.js';
import { choose } from '../config/suggest.js';
import { type Dataset } from '../data/dataset.js';
import { type Split } from '../data/split.js';
import { UserError } from '../errors.js';
import { initialWeights } from '../network/weights.js';
import { stream } from '../random.js';
import { runFolder, splitFolder, splitNames } from '../runs/folders.js';
import { type Identity, readRun } from '../runs/run.js';
import { readSafetensors } from '../runs/safetensors.js';
import { dataIdentity } from '../training/plan.js';
import { type PruningRun } from './loop.js';
import { strategies } from './strategies/index.js';

/** What to restrict an experiment's pruning to; undefined leaves it to the config. */
export interface PruneSelection {
  readonly strategies?: readonly string[] | undefined;
  readonly criterion?: Criterion | undefined;
  readonly model?: string | undefined;
  readonly seeds?: readonly number[] | undefined;
  readonly splits?: readonly string[] | undefined;
  /** Start from the trained model of the same seed instead of new weights. */
  readonly fromModel?: boolean | undefined;
}

/** A pruning run before any data is read. */
export interface PlannedPruning {
  readonly folder: string;
  readonly split: string;
  readonly model: ModelConfig;
  readonly method: string;
  readonly strategy: Strategy;
  readonly criterion: Criterion;
  readonly seed: number;
  readonly identity: Identity;
  /** The trained run whose weights it starts from. */
  readonly trained?: string;
}

/** The pruning runs of an experiment. Throws a UserError of kind `usage` for a name that it does not have. */
export function planPruning(config: Experiment, selection: PruneSelection): PlannedPruning[] {
  const criterion = selection.criterion ?? config.pruning.criterion;
  const model = selectModel(config, selection.model);
  const wanted = selection.strategies?.includes('all') ? STRATEGIES : selection.strategies;
  const names = choose('--strategy', wanted, STRATEGIES) as readonly Strategy[];
  const { recoveryEpochs, dropout, snapshots, collapse } = config.pruning;
  const { batch, learningRate, adam } = config.training;
  if (criterion === 'l1-std' && batch < 2)
    throw new UserError(
      'usage',
      'criterion l1-std needs several cases in a batch: found training.batch 1, expected 2',
    );
  return choose('--split', selection.splits, splitNames(config)).flatMap((split) =>
    (wanted === undefined ? config.pruning.strategies : names).flatMap((strategy) =>
      (selection.seeds ?? config.training.seeds).map((seed): PlannedPruning => {
        const base = splitFolder(config, split);
        const method = methodName(config, strategy, criterion, model, selection.fromModel ?? false);
        const scored = strategies[strategy].scores;
        return {
          folder: runFolder(base, 'prune', method, seed),
          split,
          model,
          method,
          strategy,
          criterion,
          seed,
          identity: {
            ...dataIdentity(config, split),
            model,
            training: { batch, learningRate, adam },
            pruning: { strategy, ...(scored && { criterion }), recoveryEpochs, dropout, snapshots, collapse },
          },
          ...(selection.fromModel && { trained: runFolder(base, 'train', modelName(model), seed) }),
        };
      }),
    ),
  );
}

function selectModel(config: Experiment, name: string | undefined): ModelConfig {
  if (name === undefined) return prunedModel(config);
  const names = config.models.map(modelName);
  choose('--model', [name], names);
  return config.models[names.indexOf(name)] as ModelConfig;
}

/** What results are filed under: STRATEGY[-CRITERION][@MODEL][-trained]. */
function methodName(
  config: Experiment,
  strategy: Strategy,
  criterion: Criterion,
  model: ModelConfig,
  trained: boolean,
): string {
  const scored = strategies[strategy].scores && criterion !== 'l2' ? `-${criterion}` : '';
  const other = modelName(model) === modelName(prunedModel(config)) ? '' : `@${modelName(model)}`;
  return `${strategy}${scored}${other}${trained ? '-trained' : ''}`;
}

/** Throws a UserError of kind `failed` if a run is to start from a trained model that is not there. */
export function requireTrained(planned: readonly PlannedPruning[]): void {
  for (const { trained } of planned)
    if (trained !== undefined && readRun(trained)?.status !== 'finished')
      throw new UserError(
        'failed',
        `${trained}: there is no finished training run to start from; run: lunet train`,
      );
}

/** A planned run with the data set's channels and cases filled in. */
export function pruningRun(planned: PlannedPruning, dataset: Dataset): PruningRun {
  const architecture = modelArchitecture(planned.model, dataset.inputChannels, dataset.outputs.length);
  const { trained, seed } = planned;
  return {
    folder: planned.folder,
    method: planned.method,
    strategy: planned.strategy,
    criterion: planned.criterion,
    seed,
    split: dataset.splits.get(planned.split) as Split,
    architecture,
    identity: planned.identity,
    start: () =>
      trained === undefined
        ? initialWeights(architecture, stream(seed, 'weights', 'prune'))
        : readSafetensors(`${trained}/weights.safetensors`).tensors,
    ...(trained !== undefined && { provenance: { trained } }),
  };
}

// Plans the runs of `lunet prune`: every split, strategy and seed of the experiment, or the selected ones.

import { findModel, modelArchitecture, modelName, prunedModel } from '../config/models.js';
import { type Experiment, type ModelConfig } from '../config/schema.js';
import { choose } from '../config/suggest.js';
import { type Dataset } from '../data/dataset.js';
import { type Split } from '../data/split.js';
import { UserError } from '../errors.js';
import { initialWeights } from '../network/weights.js';
import { stream } from '../random.js';
import { FILES, runFolder, splitFolder, splitNames } from '../runs/folders.js';
import { type Identity, describeDifference, settingsOf } from '../runs/identity.js';
import { type SavedWeights, readWeightsOf } from '../runs/network-file.js';
import { type RunRecord, readRun } from '../runs/run.js';
import { configuredSizes } from '../data/split-sizes.js';
import {
  commonIdentity,
  lossIdentity,
  samplesIdentity,
  trainingIdentity,
  trainingRunIdentity,
} from '../training/training-runs.js';
import { type CriterionName } from './criteria/index.js';
import { type PruningRun } from './loop.js';
import { STRATEGIES, type StrategyName, strategies } from './strategies/index.js';

/** Restricts the pruning runs of an experiment; undefined means as in the config. */
export interface PruneSelection {
  readonly strategies?: readonly string[] | undefined;
  readonly criterion?: CriterionName | undefined;
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
  readonly strategy: StrategyName;
  readonly criterion: CriterionName;
  readonly seed: number;
  readonly identity: Identity;
  /** The trained weights that it starts from. */
  readonly trained?: SavedWeights;
}

/** The pruning runs of an experiment. Throws a UserError of kind `usage` for an unknown name. */
export function planPruning(config: Experiment, selection: PruneSelection): PlannedPruning[] {
  const criterion = selection.criterion ?? config.pruning.criterion;
  const model = selectModel(config, selection.model);
  choose('--strategy', selection.strategies, [...STRATEGIES, 'all']);
  const wanted = selection.strategies?.includes('all') ? STRATEGIES : selection.strategies;
  const names = choose('--strategy', wanted, STRATEGIES) as readonly StrategyName[];
  const fromModel = selection.fromModel ?? false;
  const chosen = wanted === undefined ? config.pruning.strategies : names;
  const splits = choose('--split', selection.splits, splitNames(config));
  if (criterion === 'l1-std' && chosen.some((strategy) => strategies[strategy].scores))
    requireDeviation(config, splits);
  return splits.flatMap((split) =>
    chosen.flatMap((strategy) =>
      (selection.seeds ?? config.training.seeds).map((seed): PlannedPruning => {
        const base = splitFolder(config, split);
        const setup = { strategy, criterion, model, trained: fromModel };
        const method = methodName(config, setup);
        const trained = fromModel ? findTrained(config, split, model, seed) : undefined;
        return {
          folder: runFolder(base, 'prune', method, seed),
          split,
          model,
          method,
          strategy,
          criterion,
          seed,
          identity: {
            ...pruningSettings(config, split, setup),
            ...(trained && { source: { weights: trained.digest } }),
          },
          ...(trained && { trained }),
        };
      }),
    ),
  );
}

/** What distinguishes pruning runs, besides their seed. */
export interface PruningSetup {
  readonly strategy: StrategyName;
  readonly criterion: CriterionName;
  readonly model: ModelConfig;
  /** Whether it starts from the trained model. */
  readonly trained: boolean;
}

/** The identity of a pruning run without its seed and the digest of its starting weights. */
export function pruningSettings(
  config: Experiment,
  split: string,
  { strategy, criterion, model, trained }: PruningSetup,
): Identity {
  const { scoring, recoveryEpochs, dropout, snapshots, collapse } = config.pruning;
  const { batch, learningRate, adam } = config.training;
  const scored = strategies[strategy].scores;
  return {
    ...commonIdentity(config, split),
    model,
    training: {
      batch,
      learningRate,
      adam,
      ...samplesIdentity(config.training),
      ...lossIdentity(config.training),
    },
    ...(trained && { trained: trainingIdentity(config) }),
    pruning: {
      strategy,
      ...(scored && { criterion, scoring }),
      recoveryEpochs,
      dropout,
      snapshots,
      collapse,
    },
  };
}

/** The weights of the trained model to start from. Throws a UserError if they are missing or were made with other settings. */
function findTrained(config: Experiment, split: string, model: ModelConfig, seed: number): SavedWeights {
  const folder = runFolder(splitFolder(config, split), 'train', modelName(model), seed);
  const record = readRun(folder);
  if (record?.status !== 'finished')
    throw new UserError(
      'failed',
      `${folder}: there is no finished training run to start from; run: lunet train`,
    );
  const difference = describeDifference(record.identity, trainingRunIdentity(config, split, model));
  if (difference !== undefined)
    throw new UserError(
      'usage',
      `${folder}: was trained with ${difference}; give the same settings, or train it again with --overwrite`,
    );
  return readWeightsOf(record, folder, FILES.model);
}

/** Throws a UserError of kind `usage` if l1-std, a deviation over the cases of a batch, would have only one case. */
function requireDeviation(config: Experiment, splits: readonly string[]): void {
  const { batch } = config.training;
  if (batch < 2)
    throw new UserError(
      'usage',
      'criterion l1-std needs several cases in a batch: found training.batch 1, expected 2 or more',
    );
  for (const [split, { train }] of configuredSizes(config))
    if (splits.includes(split) && train < 2)
      throw new UserError(
        'usage',
        `criterion l1-std needs several training cases: found 1 in split ${split}, expected 2 or more`,
      );
}

function selectModel(config: Experiment, name: string | undefined): ModelConfig {
  if (name === undefined) return prunedModel(config);
  const names = config.models.map(modelName);
  choose('--model', [name], names);
  return config.models[names.indexOf(name)] as ModelConfig;
}

/** The name of the results: STRATEGY[-CRITERION][@MODEL][-trained]. */
function methodName(config: Experiment, { strategy, criterion, model, trained }: PruningSetup): string {
  const scored = strategies[strategy].scores && criterion !== 'l2' ? `-${criterion}` : '';
  const other = modelName(model) === modelName(prunedModel(config)) ? '' : `@${modelName(model)}`;
  return `${strategy}${scored}${other}${trained ? '-trained' : ''}`;
}

/**
 * The setup of a pruning method in the current config, from its name and its earlier identity. Undefined if its model is not
 * in the config.
 */
export function setupOf(config: Experiment, method: string, then: Identity): PruningSetup | undefined {
  const { strategy, criterion = config.pruning.criterion } = then['pruning'] as PruningSetup;
  const named = /@(.+?)(?:-trained)?$/.exec(method)?.[1] ?? config.pruning.model;
  const model = findModel(config, named);
  return model && { strategy, criterion, model, trained: then['trained'] !== undefined };
}

/**
 * How a pruning run differs from what the config describes now: in its settings, the model of that name, or the trained
 * weights it started from. Undefined if it does not.
 */
export function pruningDifference(config: Experiment, record: RunRecord): string | undefined {
  const { identity, method, split, seed } = record;
  const setup = setupOf(config, method, identity);
  if (setup === undefined) return 'a model that the config does not have';
  const settings = pruningSettings(config, split, setup);
  const difference = describeDifference(settingsOf(identity), settings);
  if (difference !== undefined || !setup.trained) return difference;
  const { digest } = findTrained(config, split, setup.model, seed);
  return describeDifference(identity, { ...settings, source: { weights: digest } });
}

/** A planned run with the channels and cases of the data set filled in. */
export function pruningRun(planned: PlannedPruning, dataset: Dataset): PruningRun {
  const architecture = modelArchitecture(planned.model, dataset.channels.length, dataset.outputs.length);
  const { trained, seed } = planned;
  return {
    folder: planned.folder,
    method: planned.method,
    strategy: planned.strategy,
    criterion: planned.criterion,
    seed,
    splitName: planned.split,
    split: dataset.splits.get(planned.split) as Split,
    architecture,
    identity: planned.identity,
    start: () => trained?.weights() ?? initialWeights(architecture, stream(seed, 'weights', 'prune')),
    ...(trained && { provenance: { trained: trained.path } }),
  };
}

// Plans the runs of `lunet train`: every split, model and seed of the experiment, or the selected ones.

import { augmentationSettings } from '../config/augmentation.js';
import { modelArchitecture, modelName } from '../config/models.js';
import { DEFAULT_INFERENCE, type Inference } from '../config/inference.js';
import { furtherMetrics } from '../config/metrics.js';
import { type Experiment, type ModelConfig } from '../config/schema.js';
import { namedSplits } from '../config/splits.js';
import { choose } from '../config/suggest.js';
import { type Architecture } from '../network/architecture.js';
import { initialWeights } from '../network/weights.js';
import { stream } from '../random.js';
import { runFolder, splitFolder, splitNames } from '../runs/folders.js';
import { type Identity } from '../runs/identity.js';
import { type Split } from '../data/split.js';
import { type TrainingRun } from './run.js';

/** Restricts the runs of an experiment; undefined means all. */
export interface Selection {
  readonly models?: readonly string[] | undefined;
  readonly seeds?: readonly number[] | undefined;
  readonly splits?: readonly string[] | undefined;
}

/** A run before any data is read. */
export interface PlannedRun {
  readonly folder: string;
  readonly split: string;
  readonly model: ModelConfig;
  readonly method: string;
  readonly seed: number;
  readonly identity: Identity;
}

/** The training runs of an experiment. Throws a UserError of kind `usage` for an unknown name. */
export function planTraining(config: Experiment, selection: Selection): PlannedRun[] {
  const names = config.models.map(modelName);
  const models = choose('--model', selection.models, names);
  return choose('--split', selection.splits, splitNames(config)).flatMap((split) =>
    models.flatMap((method) =>
      (selection.seeds ?? config.training.seeds).map((seed) => {
        const model = config.models[names.indexOf(method)] as ModelConfig;
        return {
          folder: runFolder(splitFolder(config, split), 'train', method, seed),
          split,
          model,
          method,
          seed,
          identity: trainingRunIdentity(config, split, model),
        };
      }),
    ),
  );
}

/** The identity of a training run of a model, without its seed. */
export function trainingRunIdentity(config: Experiment, split: string, model: ModelConfig): Identity {
  return { ...commonIdentity(config, split), model, training: trainingIdentity(config) };
}

/**
 * What the identities of all kinds of runs have: the settings of data and of further metrics, if there are any. The folder of
 * the data is not one of them: the hash of the data set covers its content.
 */
export function commonIdentity(config: Experiment, split: string): Identity {
  const { layout, phantom, channels, labels, ignore, nonFinite, groups } = config.dataset;
  const { inference } = config;
  const metrics = furtherMetrics(config);
  return {
    dataset: {
      ...(layout === 'phantom' && { phantom }),
      ...(channels && { channels }),
      labels,
      ...(ignore !== undefined && { ignore }),
      nonFinite,
      split: namedSplits(config).get(split),
      ...(groups !== undefined && { groups }),
    },
    preprocessing: preprocessingIdentity(config),
    ...(!isDefault(inference) && { inference }),
    ...(metrics.length > 0 && { metrics }),
    ...(metrics.includes('nsd') && { tolerance: config.tolerance }),
  };
}

/** The preprocessing without keys that have their default and that earlier versions lack. */
function preprocessingIdentity({ preprocessing }: Experiment): object {
  const { antialias, anisotropic } = preprocessing;
  const left = Object.entries(preprocessing).filter(
    ([key]) => (key !== 'antialias' || antialias) && (key !== 'anisotropic' || anisotropic),
  );
  return Object.fromEntries(left);
}

const isDefault = ({ overlap, mirror }: Inference): boolean =>
  overlap === DEFAULT_INFERENCE.overlap && mirror.length === 0;

/** The training settings in the identity of a run, without its seed. */
export function trainingIdentity({ training }: Experiment): Identity {
  const { epochs, batch, learningRate, schedule, cooldown, warmup, patience, adam, dropout, evaluateEvery } =
    training;
  return {
    epochs,
    batch,
    learningRate,
    cooldown,
    adam,
    dropout,
    evaluateEvery,
    ...samplesIdentity(training),
    ...lossIdentity(training),
    // A constant rate is a cool-down over no epoch.
    ...(schedule !== 'cooldown' && schedule !== 'constant' && { schedule }),
    ...(warmup > 0 && { warmup }),
    ...(patience > 0 && { patience }),
  };
}

/** What steps are made on, where it is not whole volumes as they are. */
export function samplesIdentity(training: Experiment['training']): Identity {
  const augmentation = augmentationSettings(training);
  return { ...(training.patch && { patch: training.patch }), ...(augmentation && { augmentation }) };
}

/** The loss without keys that have their default; pruning needs it too. */
export function lossIdentity({ loss, batchDice }: Experiment['training']): object {
  return { ...(loss !== 'dice' && { loss }), ...(!batchDice && { batchDice }) };
}

/** A planned run with the channels and cases of the data set filled in. */
export function trainingRun(
  config: Experiment,
  planned: PlannedRun,
  data: {
    readonly channels: readonly string[];
    readonly outputs: readonly string[];
    readonly splits: ReadonlyMap<string, Split>;
  },
): TrainingRun {
  const architecture: Architecture = modelArchitecture(
    planned.model,
    data.channels.length,
    data.outputs.length,
  );
  return {
    folder: planned.folder,
    kind: 'train',
    method: planned.method,
    seed: planned.seed,
    splitName: planned.split,
    split: data.splits.get(planned.split) as Split,
    architecture,
    identity: planned.identity,
    epochs: config.training.epochs,
    start: () => initialWeights(architecture, stream(planned.seed, 'weights')),
  };
}

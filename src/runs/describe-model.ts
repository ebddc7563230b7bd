// Describes the model that a run produced, from the record of the run.

import { augmentationSettings } from '../config/augmentation.js';
import { DEFAULT_INFERENCE } from '../config/inference.js';
import { type Experiment } from '../config/schema.js';
import { windowSize } from '../config/window.js';
import { type FittedNormalisation } from '../data/normalise.js';
import {
  MODEL_FORMAT,
  type ModelDescription,
  type ModelPreprocessing,
  type TrainingRanges,
} from '../model/model.js';
import { type Architecture } from '../network/architecture.js';
import { runKey } from './identity.js';
import { type RunRecord } from './run.js';

/** Facts about a model that are not in the record; runs of earlier versions did not store them. */
export interface KnownBesides {
  readonly channels: readonly string[];
  readonly training: TrainingRanges;
  /** For a snapshot: percent of channels. */
  readonly snapshot?: string | undefined;
}

/** What the networks of a run need done to a volume. */
export function preprocessingOf(record: Pick<RunRecord, 'config' | 'normalisation'>): ModelPreprocessing {
  const config = record.config as Experiment;
  const { preprocessing } = config;
  return {
    size: windowSize(config),
    ...(preprocessing.spacing && { spacing: preprocessing.spacing }),
    ...(preprocessing.antialias && { antialias: true }),
    ...(preprocessing.anisotropic && { anisotropic: true }),
    normalisation: record.normalisation ?? (preprocessing.normalisation as FittedNormalisation),
    // Records of earlier versions lack the key: axes were kept as stored.
    orientation: (preprocessing as Partial<typeof preprocessing>).orientation ?? 'keep',
  };
}

/** The description of the model of a run with this architecture. */
export function describeModel(
  record: RunRecord,
  architecture: Architecture,
  { channels, training, snapshot }: Partial<KnownBesides> = {},
): ModelDescription {
  const config = record.config as Experiment;
  const { experiment, dataset, training: trained } = config;
  // Records of earlier versions lack the section.
  const { inference } = config as Partial<Experiment>;
  const { split, method, seed } = record;
  const place = [experiment, ...(split === 'default' ? [] : [split]), method, `seed-${seed}`];
  return {
    format: MODEL_FORMAT,
    name: [...place, ...(snapshot === undefined ? [] : [`snapshot-${snapshot}`])].join('/'),
    architecture,
    outputs: Object.entries(dataset.labels).map(([name, values]) => ({ name, values: [values].flat() })),
    channels:
      channels ??
      dataset.channels ??
      Array.from({ length: architecture.inputChannels }, (_, i) => `channel ${i}`),
    preprocessing: preprocessingOf(record),
    mirror: mirroredAxes(trained),
    ...(inference && { inference: { ...DEFAULT_INFERENCE, ...inference } }),
    ...(training && { training }),
    run: { key: runKey(record), experiment, method, seed, data: record.datasetHash },
    ...(dataset.licence !== undefined && { licence: dataset.licence }),
  };
}

/** Axes along which samples were mirrored; records of earlier versions lack the key, and nothing was mirrored. */
function mirroredAxes({ augmentation }: Partial<Experiment['training']>): ModelDescription['mirror'] {
  return (augmentation && augmentationSettings({ augmentation })?.mirror) ?? [];
}

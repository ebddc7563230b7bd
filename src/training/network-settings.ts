// The settings with which an engine loads a network of an experiment.

import { type Experiment } from '../config/schema.js';
import { type Dataset } from '../data/dataset.js';
import { type Split } from '../data/split.js';
import { type NetworkSettings } from '../engine/engine.js';
import { type Architecture } from '../network/architecture.js';

const ADAM_EPSILON = 1e-8;

/** The part of a data set that a network depends on. */
type Volumes = Pick<Dataset, 'size' | 'targets'> & Partial<Pick<Dataset, 'ignored'>>;

/** Settings of a network for the cases of a split. No batch is larger than what there is to train or evaluate on. */
export function networkSettings(
  { training }: Experiment,
  architecture: Architecture,
  dataset: Volumes,
  { train, validation, test }: Split,
): NetworkSettings {
  // However few cases there are, windows of one of them fill a batch.
  const most = training.patch ? training.batch : Math.max(train.length, validation.length, test.length);
  return settingsFor(training, architecture, dataset, Math.min(training.batch, most));
}

/** Settings of a network for batches of at most `maxBatch` cases. */
export function settingsFor(
  { adam, loss, batchDice }: Experiment['training'],
  architecture: Architecture,
  { size, targets, ignored }: Volumes,
  maxBatch: number,
): NetworkSettings {
  return {
    architecture,
    size,
    maxBatch,
    targets,
    ignored,
    loss: { entropy: loss === 'dice+bce', batchDice },
    adam: { ...adam, epsilon: ADAM_EPSILON },
  };
}

// How much memory a network takes on TensorFlow.js, the same on all its backends; loads nothing of it.

import { UserError } from '../../errors.js';
import { gibibytes } from '../../memory.js';
import { activationBytes } from '../../network/cost.js';
import { countParameters } from '../../network/parameters.js';
import { type Engine, type NetworkSettings } from '../engine.js';

/**
 * Arrays as large as an activation that are alive at a step's peak, for each that a layer computes: its convolution,
 * activation and output stay for the backward pass; a little more for what passes through.
 */
const COPIES = 4;

export const tfjsEstimator: Pick<Engine, 'estimateMemory'> = {
  estimateMemory: ({ architecture, size, maxBatch }) =>
    COPIES * maxBatch * activationBytes(architecture, size[0] * size[1] * size[2]) +
    32 * countParameters(architecture),
};

/** A message about the memory that a step needs, and the batch that would fit. */
export function tooLarge(settings: NetworkSettings, free: number | undefined): UserError {
  const needed = tfjsEstimator.estimateMemory(settings);
  const each = (needed - 32 * countParameters(settings.architecture)) / settings.maxBatch;
  const fits =
    free === undefined
      ? Math.floor(settings.maxBatch / 2)
      : Math.min(settings.maxBatch - 1, Math.floor(free / each));
  return new UserError(
    'engine',
    `out of memory: a step with a batch of ${settings.maxBatch} needs about ${gibibytes(needed)}` +
      `${free === undefined ? '' : `, ${gibibytes(free)} are free`}; ` +
      (fits >= 1
        ? `a batch of ${fits} should fit: --set training.batch=${fits}`
        : 'choose a smaller preprocessing.size or a smaller model'),
  );
}

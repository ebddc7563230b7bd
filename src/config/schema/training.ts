// How networks are trained.

import { z } from 'zod';
import { augmentation } from './augmentation.js';
import { count, voxels } from './values.js';

const patch = z.strictObject({
  size: voxels.describe(
    'Voxels along x, y, z of a patch, on the resampled grid; a multiple of 2^(levels - 1)',
  ),
  perCase: count().optional().describe('Patches of every training case in an epoch; default: 1'),
  perEpoch: count()
    .optional()
    .describe('Patches in an epoch, from all training cases in turn; instead of perCase'),
  foreground: z
    .number()
    .min(0)
    .max(1)
    .default(0.33)
    .describe('Share of the patches that are centred on a voxel of a random label of their case'),
});

export const training = z
  .strictObject({
    epochs: count().default(30).describe('Epochs'),
    batch: count().default(16).describe('Cases, or patches, per step'),
    patch: patch
      .optional()
      .describe('Train on patches at random places; default: on whole volumes of preprocessing.size'),
    learningRate: z.number().positive().max(10).default(0.01).describe('Learning rate of Adam'),
    cooldown: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('Fraction of the epochs, at the end, in which the learning rate falls linearly towards 0'),
    schedule: z
      .enum(['cooldown', 'constant', 'poly', 'cosine'])
      .default('cooldown')
      .describe(
        'How the learning rate falls: over the fraction `cooldown`, not at all, as (1 - t)^0.9, or as (1 + cos(pi t)) / 2, ' +
          'where t is the fraction of the epochs that are done',
      ),
    warmup: count(0)
      .default(0)
      .describe(
        'Epochs at the start in which the learning rate rises linearly; the schedule begins after them',
      ),
    loss: z
      .enum(['dice', 'dice+bce'])
      .default('dice')
      .describe('Soft Dice loss, or its sum with the mean binary cross-entropy'),
    batchDice: z
      .boolean()
      .default(true)
      .describe(
        'Whether the sums of the Dice loss are over all cases of a batch; if not, it is the mean over cases',
      ),
    adam: z
      .strictObject({
        beta1: z.number().min(0).lt(1).default(0.9).describe('Decay of the first moment'),
        beta2: z.number().min(0).lt(1).default(0.999).describe('Decay of the second moment'),
      })
      .prefault({})
      .describe('Decay rates of the moments of Adam'),
    dropout: z.number().min(0).lt(1).default(0.05).describe('Rate of channel-wise dropout, in every layer'),
    augmentation,
    seeds: z.array(z.int().min(0)).min(1).default([1, 2, 3]).describe('One run for each seed'),
    patience: count(0)
      .default(0)
      .describe(
        'Stop when the validation Dice has not risen for this many epochs; 0 never stops early. Needs validation cases',
      ),
    evaluateEvery: count()
      .default(1)
      .describe('Number of epochs between evaluations of test Dice; the last epoch is always evaluated'),
  })
  .prefault({});

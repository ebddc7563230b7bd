// How networks are trained.

import { z } from 'zod';
import { augmentation } from './augmentation.js';
import { count } from './values.js';

export const training = z
  .strictObject({
    epochs: count().default(30).describe('Epochs'),
    batch: count().default(16).describe('Cases per step'),
    learningRate: z.number().positive().max(10).default(0.01).describe('Learning rate of Adam'),
    cooldown: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('Fraction of the epochs, at the end, in which the learning rate falls linearly towards 0'),
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
    evaluateEvery: count()
      .default(1)
      .describe('Number of epochs between evaluations of test Dice; the last epoch is always evaluated'),
  })
  .prefault({});

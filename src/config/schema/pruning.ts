// How networks are pruned, and how pruned architectures are retrained.

import { z } from 'zod';
import { CRITERIA } from '../../pruning/criteria/index.js';
import { STRATEGIES } from '../../pruning/strategies/index.js';
import { count } from './values.js';

const percent = z.number().gt(0).lt(100);

/** How a retrained network starts. */
export const INITS = ['random', 'rewind', 'inherit'] as const;

export const pruning = z
  .strictObject({
    model: z.string().optional().describe('Name of the model to prune; default: the first unet'),
    strategies: z
      .array(z.enum(STRATEGIES))
      .min(1)
      .default(['stamp', 'random-in-block', 'widest'])
      .describe('How the channel to remove is chosen at each step'),
    criterion: z
      .enum(CRITERIA)
      .default('l2')
      .describe(
        'How channels are scored, for strategies that use scores. The scores of a layer are divided by their L2 norm, ' +
          'as in STAMP; the papers of snip, synflow and bn-scale do not do this',
      ),
    scoring: z
      .enum(['evaluation', 'training'])
      .default('evaluation')
      .describe(
        'Mode of the network while channels are scored: evaluation (running statistics, no dropout, as in STAMP) or ' +
          'training (statistics of the batch, dropout)',
      ),
    recoveryEpochs: count().default(1).describe('Training epochs between two removals'),
    dropout: z
      .strictObject({
        base: z.number().min(0).lt(1).default(0.05).describe('Largest dropout rate of a layer'),
        initial: z.number().min(0).lt(1).optional().describe('Before the first removal; default: base / 10'),
        targeted: z
          .enum(['rank-value', 'off'])
          .default('rank-value')
          .describe(
            'rank-value: layers with lower scores have higher rates, up to base (STAMP); off: all layers have the ' +
              'rate initial, as always with strategies without scores',
          ),
      })
      .prefault({})
      .describe('Dropout while pruning; the last layer is not pruned and has no dropout'),
    snapshots: z
      .array(percent)
      .min(1)
      .default([75, 50, 25])
      .describe('Percentages of remaining prunable channels at which the network is saved'),
    collapse: z
      .strictObject({
        floor: z.number().min(0).max(1).default(0).describe('Test Dice below which a network has collapsed'),
        steps: count()
          .default(10)
          .describe('Number of consecutive steps below the floor after which the run stops'),
      })
      .prefault({})
      .describe('When to stop before every layer has one channel; with a floor of 0, never'),
  })
  .prefault({});

export const retraining = z
  .strictObject({
    strategies: z
      .array(z.enum(STRATEGIES))
      .min(1)
      .optional()
      .describe('Pruning strategies whose snapshots are retrained; default: those of pruning'),
    snapshots: z
      .array(percent)
      .min(1)
      .optional()
      .describe('Which snapshots to retrain; default: those of pruning'),
    init: z
      .array(z.enum(INITS))
      .min(1)
      .default(['random'])
      .describe(
        'Starting weights: random (new ones), rewind (the first weights of the pruning run, for the remaining ' +
          'channels) or inherit (the weights of the snapshot)',
      ),
    epochs: count().optional().describe('Epochs; default: those of training'),
  })
  .prefault({});

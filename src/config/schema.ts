// The experiment config: types, defaults, checks, help and the JSON Schema are all derived from this definition.

import { z } from 'zod';
import { LAYOUTS } from '../data/layouts/index.js';
import { MEASURES } from '../evaluation/names.js';
import { ownPath, ownPathExpected } from '../home-folder.js';
import { CRITERIA } from '../pruning/criteria/index.js';
import { STRATEGIES } from '../pruning/strategies/index.js';

const count = (least = 1) => z.int().min(least);
const blockWidths = z.array(z.array(count().max(4096)).min(1).max(10));
const name = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._@+-]*$/u, 'expected a name of letters, digits and . _ @ + -')
  .max(100);
const percent = z.number().gt(0).lt(100);
const caseSelection = z.union([count(0), z.array(z.string().min(1))], {
  error: 'expected a number of cases or a list of case ids',
});
/** Starts with a letter, since JavaScript moves keys that look like integers, such as `1`, to the front. */
const labelName = z
  .string()
  .regex(
    /^\p{L}[\p{L}\p{N} ._-]*$/u,
    'expected a name that starts with a letter, then letters, digits, spaces and . _ -',
  )
  .max(100);
/** `~/` stands for the home folder: see `resolveExperiment`. */
const folder = z.string().min(1).regex(ownPath, ownPathExpected);
const labelValue = z.int().min(1).max(65535);

const split = z.strictObject({
  train: caseSelection.describe('Cases to train on: how many, or a list of case ids'),
  validation: caseSelection.default(0).describe('Cases for choosing a pruning step without the test cases'),
  test: caseSelection.describe('Cases to test on: how many, or a list of case ids'),
  seed: z.int().min(0).default(0).describe('Seed of the random choice if cases are given as numbers'),
});

const phantom = z.strictObject({
  kind: z.enum(['hippocampus', 'gland', 'trachea']).default('hippocampus').describe('What to imitate'),
  cases: count(2).max(10_000).default(24).describe('How many volumes to generate'),
  size: count(8).max(512).default(32).describe('Voxels along each axis'),
  seed: z.int().min(0).default(1).describe('Seed of the generator'),
});

const dataset = z.strictObject({
  layout: z
    .enum(['phantom', ...LAYOUTS])
    .describe('How the cases are arranged on disk; phantom generates them in memory'),
  root: folder
    .optional()
    .describe('Folder of the dataset, relative to the working folder; ~/ is the home folder'),
  phantom: phantom.prefault({}).describe('What to generate, for the layout phantom'),
  channels: z.array(z.string().min(1)).min(1).optional().describe('Names of the input channels, in order'),
  labels: z
    .record(
      labelName,
      z.union([labelValue, z.array(labelValue).min(1)], {
        error: 'expected a label value (a whole number from 1) or a list of them',
      }),
    )
    .refine((labels) => Object.keys(labels).length >= 1 && Object.keys(labels).length <= 32, {
      message: 'expected 1 to 32 labels',
    })
    .describe('Network outputs by name: one label value, or several values merged into one region'),
  split: split.optional().describe('Cases for training and for testing'),
  splits: z
    .record(name, split)
    .refine((splits) => Object.keys(splits).length >= 1, { message: 'expected at least one split' })
    .optional()
    .describe('Several splits by name, instead of `split`; all of them are run'),
  nonFinite: z
    .enum(['error', 'zero'])
    .default('error')
    .describe('What to do with NaN and infinite voxels: refuse the file, or set them to zero'),
  affineMismatch: z
    .enum(['error', 'ignore'])
    .default('error')
    .describe(
      'What to do if affine or spacing of image and label differ by more than 0.001 mm: refuse the case, or use ' +
        'those of the image',
    ),
  others: z
    .enum(['described', 'background', 'error'])
    .default('described')
    .describe(
      'Which label values without an output are background: those that dataset.json names (others are an error), ' +
        'all of them, or none',
    ),
  licence: z
    .string()
    .min(1)
    .optional()
    .describe('Licence of the data, such as CC-BY-SA 4.0; it is stored in models trained on the data'),
  followLinks: z
    .boolean()
    .default(false)
    .describe('Whether links, and paths in dataset.json, may lead to files outside of `root`'),
});

const preprocessing = z.strictObject({
  size: z
    .tuple([count().max(2048), count().max(2048), count().max(2048)], {
      error: 'expected three whole numbers: voxels along x, y, z',
    })
    .describe(
      'Voxels along x, y, z after cropping and padding around the centre; `orientation` determines the axes',
    ),
  spacing: z
    .tuple([z.number().positive(), z.number().positive(), z.number().positive()], {
      error: 'expected three numbers: mm along x, y, z',
    })
    .optional()
    .describe('Resample to this spacing in mm first: linear for images, nearest for labels'),
  normalisation: z
    .union(
      [
        z.enum(['z-score', 'none']),
        z.strictObject({ window: z.tuple([z.number(), z.number()], { error: 'expected [lo, hi]' }) }),
        z.strictObject({
          percentile: z.tuple([z.number().min(0).max(100), z.number().min(0).max(100)], {
            error: 'expected [lo, hi] within 0 to 100',
          }),
        }),
      ],
      { error: 'expected z-score, none, {window: [lo, hi]} or {percentile: [lo, hi]}' },
    )
    .default('z-score')
    .describe('Per volume: z-score; {window: [lo, hi]} or {percentile: [lo, hi]} scaled to 0..1; or none'),
  orientation: z
    .enum(['RAS', 'keep'])
    .default('RAS')
    .describe(
      'Orientation of the axes, set before all other steps: RAS permutes and flips axes so that they are closest to ' +
        'right, anterior, superior (no resampling); keep leaves them as stored in the files',
    ),
});

const network = {
  levels: count().max(10).default(5).describe('Number of resolutions, including the full one'),
  convs: count().max(10).default(2).describe('3x3x3 convolutions per block'),
  skips: z.boolean().default(true).describe('Skip connections from encoder to decoder'),
};

const familyModel = z.strictObject({
  name: name.optional().describe('Name of its results; default: family, n and scale'),
  family: z
    .enum(['unet', 'lunet'])
    .describe('unet doubles the width at each level, lunet has the same width at all levels'),
  n: count().max(1024).describe('Channels at the top level'),
  ...network,
  scale: z.number().gt(0).max(1).default(1).describe('Factor for all widths'),
});

const explicitModel = z.strictObject({
  name: name.describe('Name of its results'),
  family: z.literal('explicit').describe('Widths given layer by layer'),
  encoder: blockWidths.min(1).max(10).describe('Width of each layer of each encoder block, top level first'),
  decoder: blockWidths.max(9).describe('Width of each layer of each decoder block, top level first'),
  up: z
    .array(count().max(4096))
    .describe('Output channels of the up-convolution to each level, top level first'),
  skips: z.boolean().default(true).describe('Skip connections from encoder to decoder'),
});

const model = z.discriminatedUnion('family', [familyModel, explicitModel]);

const training = z
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
    seeds: z.array(z.int().min(0)).min(1).default([1, 2, 3]).describe('One run for each seed'),
    evaluateEvery: count()
      .default(1)
      .describe('Number of epochs between evaluations of test Dice; the last epoch is always evaluated'),
  })
  .prefault({});

/** How a retrained network starts. */
export const INITS = ['random', 'rewind', 'inherit'] as const;

const pruning = z
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

const retraining = z
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

/** The schema of an experiment file. */
export const experimentSchema = z.strictObject({
  experiment: name.describe('Name of the experiment; its results are in OUTPUT/NAME'),
  output: folder
    .default('runs')
    .describe('Folder of all results, relative to the working folder; ~/ is the home folder'),
  dataset: dataset.describe('The cases: where they are, what they contain and how they are split'),
  preprocessing: preprocessing.describe('Preprocessing of each volume, done once'),
  models: z.array(model).min(1).describe('Networks to train'),
  training: training.describe('How networks are trained'),
  metrics: z
    .array(z.enum(MEASURES))
    .min(1)
    .default(['dice'])
    .describe(
      'Measures of the test cases at the end of runs and at snapshots, on the grid that networks see: docs/evaluate.md ' +
        'defines them. Dice is always one of them; training, and the choice of pruning steps, look at Dice alone',
    ),
  tolerance: z.number().min(0).default(1).describe('Distance in mm within which surfaces agree, for nsd'),
  pruning: pruning.describe('How a network is pruned'),
  retraining: retraining.describe('How pruned architectures are retrained'),
});

/** An experiment as written, with the defaults that do not depend on other keys. */
export type DeclaredExperiment = z.infer<typeof experimentSchema>;
type Pruning = DeclaredExperiment['pruning'];

type Filled<T> = { [K in keyof T]-?: Exclude<T[K], undefined> };

/** An experiment with every default filled in; plain JSON. */
export type Experiment = Omit<DeclaredExperiment, 'pruning' | 'retraining'> & {
  pruning: Omit<Pruning, 'model' | 'dropout'> & { model: string; dropout: Filled<Pruning['dropout']> };
  retraining: Filled<DeclaredExperiment['retraining']>;
};
export type ModelConfig = Experiment['models'][number];
export type SplitConfig = z.infer<typeof split>;
export type Normalisation = Experiment['preprocessing']['normalisation'];
export type Scoring = Experiment['pruning']['scoring'];
export type Init = (typeof INITS)[number];

// The experiment config: types, defaults, checks, help and the JSON Schema are all derived from this definition. Each section has
// a file in schema/.

import { z } from 'zod';
import { MEASURES } from '../evaluation/names.js';
import { dataset, type folds, type foldsFile, type parts } from './schema/dataset.js';
import { inference } from './schema/inference.js';
import { model } from './schema/models.js';
import { type channelNormalisation, preprocessing } from './schema/preprocessing.js';
import { INITS, pruning, retraining } from './schema/pruning.js';
import { training } from './schema/training.js';
import { folder, name } from './schema/values.js';

export { INITS };

/** The schema of an experiment file. */
export const experimentSchema = z.strictObject({
  experiment: name.describe('Name of the experiment; its results are in OUTPUT/NAME'),
  output: folder
    .default('runs')
    .describe('Folder of all results, relative to the working folder; ~/ is the home folder'),
  dataset: dataset.describe('The cases: where they are, what they contain and how they are split'),
  preprocessing: preprocessing.prefault({}).describe('Preprocessing of each volume, done once'),
  models: z.array(model).min(1).describe('Networks to train'),
  training: training.describe('How networks are trained'),
  inference: inference.describe(
    'How networks are run over volumes that are larger than the window that they see: in evaluations, and by lunet predict',
  ),
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
export type Experiment = Omit<DeclaredExperiment, 'dataset' | 'pruning' | 'retraining'> & {
  dataset: Omit<DeclaredExperiment['dataset'], 'split'> & {
    split?: SplitConfig | z.infer<typeof folds> | Filled<z.infer<typeof foldsFile>> | undefined;
  };
  pruning: Omit<Pruning, 'model' | 'dropout'> & { model: string; dropout: Filled<Pruning['dropout']> };
  retraining: Filled<DeclaredExperiment['retraining']>;
};
export type ModelConfig = Experiment['models'][number];
/** A split whose parts are lists or numbers of cases. */
export type SplitConfig = z.infer<typeof parts>;
export type ChannelNormalisation = z.infer<typeof channelNormalisation>;
export type Normalisation = Experiment['preprocessing']['normalisation'];
export type Scoring = Experiment['pruning']['scoring'];
export type Init = (typeof INITS)[number];

// The cases: where they are, what they contain and how they are split.

import { z } from 'zod';
import { LAYOUTS } from '../../data/layouts/index.js';
import { count, folder, name, pattern } from './values.js';

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
const labelValue = z.int().min(1).max(65535);

const seed = z
  .int()
  .min(0)
  .default(0)
  .describe('Seed of the random choice if cases are given as numbers or folds');

export const parts = z.strictObject({
  train: caseSelection.describe('Cases to train on: how many, or a list of case ids'),
  validation: caseSelection.default(0).describe('Cases for choosing a pruning step without the test cases'),
  test: caseSelection.describe('Cases to test on: how many, or a list of case ids'),
  seed,
});

export const folds = z.strictObject({
  folds: count(2)
    .max(1000)
    .describe(
      'Instead of `train` and `test`: the number of folds of a cross-validation. Each fold is a split, `fold-0`, `fold-1` ...; ' +
        'each case is a test case of exactly one fold',
    ),
  seed,
  validation: count(0)
    .default(0)
    .describe('With `folds`: how many training cases of each fold are set aside'),
});

const caseIds = z.array(z.string().min(1));

export const foldsFile = z.strictObject({
  file: folder.describe(
    "Instead of `train` and `test`: a file of folds in the form of nnU-Net's splits_final.json, relative to `root`. `val` are " +
      'the test cases of a fold',
  ),
  lists: z
    .array(
      z.strictObject({
        train: caseIds.min(1).describe('`train` of the fold in the file'),
        validation: caseIds.default([]).describe('Cases for choosing a pruning step; the file has none'),
        test: caseIds.min(1).describe('`val` of the fold in the file'),
      }),
    )
    .min(1)
    .optional()
    .describe(
      'The folds of `file`, filled in when the experiment is loaded; if they are given, the file is not read',
    ),
});

const split = z.union([parts, folds, foldsFile], {
  error: 'expected the keys train and test, or folds, or file',
});

const phantom = z.strictObject({
  kind: z.enum(['hippocampus', 'gland', 'trachea']).default('hippocampus').describe('What to imitate'),
  cases: count(2).max(10_000).default(24).describe('How many volumes to generate'),
  size: count(8).max(512).default(32).describe('Voxels along each axis'),
  seed: z.int().min(0).default(1).describe('Seed of the generator'),
});

export const dataset = z.strictObject({
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
  ignore: labelValue
    .optional()
    .describe(
      'Value of voxels that nobody has labelled: they are left out of loss, Dice and the other measures. Default: the value ' +
        'that dataset.json names `ignore`, if it does',
    ),
  split: split
    .optional()
    .describe('Cases for training and for testing: `train` and `test`, or `folds`, or `file`'),
  splits: z
    .record(name, parts)
    .refine((splits) => Object.keys(splits).length >= 1, { message: 'expected at least one split' })
    .optional()
    .describe('Several splits by name, instead of `split`; all of them are run'),
  groups: pattern
    .optional()
    .describe(
      'Regular expression on case ids that finds the patient, in its first group or as the whole match: all cases of a ' +
        'patient are in the same part of a split',
    ),
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
  inspected: folder
    .optional()
    .describe(
      'File of what `lunet init` found, relative to the working folder: training refuses files that were changed since',
    ),
  followLinks: z
    .boolean()
    .default(false)
    .describe('Whether links, and paths in dataset.json, may lead to files outside of `root`'),
});

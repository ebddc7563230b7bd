// Kinds of values that several sections of an experiment use.

import { z } from 'zod';
import { ownPath, ownPathExpected } from '../../home-folder.js';

/** A whole number of at least `least`. */
export const count = (least = 1) => z.int().min(least);

/** A regular expression of JavaScript, with Unicode. */
export const pattern = z.string().min(1).refine(isPattern, 'expected a regular expression');

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}

/** Voxels along x, y, z. */
export const voxels = z.tuple([count().max(2048), count().max(2048), count().max(2048)], {
  error: 'expected three whole numbers: voxels along x, y, z',
});

/** A name of an experiment, a split or a model; it becomes part of a path. */
export const name = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._@+-]*$/u, 'expected a name of letters, digits and . _ @ + -')
  .max(100);

/** `~/` stands for the home folder: see `resolveExperiment`. */
export const folder = z.string().min(1).regex(ownPath, ownPathExpected);

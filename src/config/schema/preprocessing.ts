// Preprocessing of each volume.

import { z } from 'zod';
import { voxels } from './values.js';

const ONE = 'z-score, z-score-nonzero, ct, none, {window: [lo, hi]} or {percentile: [lo, hi]}';

const WAYS = [
  z.enum(['z-score', 'z-score-nonzero', 'ct', 'none']),
  z.strictObject({ window: z.tuple([z.number(), z.number()], { error: 'expected [lo, hi]' }) }),
  z.strictObject({
    percentile: z.tuple([z.number().min(0).max(100), z.number().min(0).max(100)], {
      error: 'expected [lo, hi] within 0 to 100',
    }),
  }),
] as const;

/** How one channel is normalised. */
export const channelNormalisation = z.union(WAYS, { error: `expected ${ONE}` });

export const preprocessing = z.strictObject({
  size: voxels
    .optional()
    .describe(
      'Voxels along x, y, z after cropping and padding around the centre; `orientation` determines the axes. Required, ' +
        'except with training.patch: then every volume keeps the size that it has after resampling',
    ),
  spacing: z
    .tuple([z.number().positive(), z.number().positive(), z.number().positive()], {
      error: 'expected three numbers: mm along x, y, z',
    })
    .optional()
    .describe('Resample to this spacing in mm first: linear for images, nearest for labels'),
  antialias: z
    .boolean()
    .default(false)
    .describe(
      'Before resampling, smooth images along axes whose voxels become more than 1.5 times larger, with a Gaussian of ' +
        '(ratio - 1) / 2 voxels',
    ),
  anisotropic: z
    .boolean()
    .default(false)
    .describe(
      'Resample volumes of thick slices (one axis more than 3 times coarser than another, in the files or afterwards) ' +
        'linearly within slices and to the nearest across them',
    ),
  normalisation: z
    .union([...WAYS, z.array(channelNormalisation).min(1)], {
      error: `expected ${ONE}, or a list with one of them for each channel`,
    })
    .default('z-score')
    .describe(
      'Per volume and channel: z-score; z-score-nonzero (zeros are left out and stay 0); {window: [lo, hi]} or ' +
        '{percentile: [lo, hi]} scaled to 0..1; ct (clipped to the 0.5 and 99.5 percentiles of the foreground of all training ' +
        'cases of the split, then minus its mean, by its deviation); or none. Or a list, one for each channel',
    ),
  orientation: z
    .enum(['RAS', 'keep'])
    .default('RAS')
    .describe(
      'Orientation of the axes, set before all other steps: RAS permutes and flips axes so that they are closest to ' +
        'right, anterior, superior (no resampling); keep leaves them as stored in the files',
    ),
});

// Preprocessing of each volume.

import { z } from 'zod';
import { count } from './values.js';

export const preprocessing = z.strictObject({
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

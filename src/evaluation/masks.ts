// The measures of two masks. Without Node.js.

import { type Extent } from '../data/preprocess.js';
import { boxSize, cropMask, indexBoxes, unionBox } from './grid.js';
import { type Measures, countOverlap, measure } from './measure.js';

/**
 * How well two masks (0, 1; (z, y, x)) on the same grid agree: Dice, IoU, HD95 and ASSD in mm, NSD at a tolerance in mm.
 * docs/evaluate.md has the definitions. `size` is in voxels along x, y, z, `spacing` in mm. If both masks are empty, all are NaN.
 */
export function measureMasks(
  reference: Uint8Array,
  prediction: Uint8Array,
  { size, spacing, tolerance = 1 }: { size: Extent; spacing: Extent; tolerance?: number },
): Measures {
  const box = unionBox([reference, prediction].map((mask) => indexBoxes(mask, size, 1)[1])) ?? {
    from: [0, 0, 0],
    to: [0, 0, 0],
  };
  const cropped = (mask: Uint8Array): Uint8Array => cropMask(mask, size, box, Uint8Array.of(0, 1));
  const pair = {
    reference: cropped(reference),
    prediction: cropped(prediction),
    size: boxSize(box),
    spacing,
  };
  return measure(pair, countOverlap(pair, reference.length), tolerance);
}

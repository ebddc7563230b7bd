// Makes a training sample of a region of a volume.

import { type Sample } from '../engine/engine.js';
import { type Extent } from '../data/preprocess.js';
import { type DrawnAugmentation } from './draw.js';
import { augmentSlowly } from './oracle.js';
import { type Region } from './region.js';

/**
 * The sample of a patch, voxels along x, y, z, that `drawn` makes of a region, which should have the voxels that `sourceRegion`
 * names; what it lacks is 0. The same bits on every machine.
 */
export function augment(region: Region, patch: Extent, drawn: DrawnAugmentation): Promise<Sample> {
  return Promise.resolve(augmentSlowly(region, patch, drawn));
}

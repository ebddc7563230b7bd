// The part of a volume that a sample is made of.

import { type Extent } from '../data/preprocess.js';
import { type DrawnAugmentation, IDENTITY, type Matrix } from './draw.js';

/** A box of voxels along x, y, z. */
export interface Box {
  readonly start: Extent;
  readonly size: Extent;
}

/** The voxels of a box of a volume; outside of it, everything is 0. */
export interface Region extends Box {
  /** Where it lies from the first voxel of the patch; may be negative. */
  readonly start: Extent;
  readonly channels: number;
  /** (C, D, H, W). */
  readonly image: Float32Array;
  /** (D, H, W). */
  readonly label: Uint8Array;
}

/** Whether samples show the source as it is. */
export function isIdentity(matrix: Matrix): boolean {
  return matrix.every((value, at) => value === IDENTITY[at]);
}

/** Coordinates are float32, so they may be this far, in voxels, from where they should be. */
const MARGIN = 1e-3;

/**
 * The smallest box, from the first voxel of the patch, with all source voxels that a sample of this size may show. A region that
 * lacks voxels of it, such as those outside of a volume, has zeros there.
 */
export function sourceRegion(patch: Extent, { matrix }: Pick<DrawnAugmentation, 'matrix'>): Box {
  if (isIdentity(matrix)) return { start: [0, 0, 0], size: patch };
  const centre = centreOf(patch);
  const ends = ([0, 1, 2] as const).map((axis) => {
    const reach = centre.reduce(
      (sum, each, column) => sum + Math.abs(matrix[axis * 3 + column] as number) * each,
      MARGIN,
    );
    return [Math.floor(centre[axis] - reach), Math.ceil(centre[axis] + reach)] as const;
  });
  return {
    start: ends.map(([first]) => first) as unknown as Extent,
    size: ends.map(([first, last]) => last - first + 1) as unknown as Extent,
  };
}

/** The coordinates of the centre of a patch; between voxels where a length is even. */
export function centreOf([x, y, z]: Extent): Extent {
  return [(x - 1) / 2, (y - 1) / 2, (z - 1) / 2];
}

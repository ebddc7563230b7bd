// Axes laid along the body's: permuted and flipped, so that x, y, z point to the right, to the front and upwards whatever the
// order in which a scanner stored them. Exact: no voxel changes its value. Undone by the same steps after prediction.

import { type Extent } from './preprocess.js';

/** Where each axis of an oriented volume is in the stored one. */
export interface Orienting {
  /** The stored axis that becomes x, y and z. */
  readonly axes: readonly [number, number, number];
  /** Whether it runs the other way. */
  readonly flipped: readonly [boolean, boolean, boolean];
}

const AS_STORED: Orienting = { axes: [0, 1, 2], flipped: [false, false, false] };
const DIRECTIONS = ['LR', 'PA', 'IS'] as const;

/** How axes that point to `codes` (see `axisCodes`) are brought to right, anterior, superior, or left as they are stored. */
export function orientingOf(codes: string, orientation: 'RAS' | 'keep'): Orienting {
  if (orientation === 'keep') return AS_STORED;
  const axes = DIRECTIONS.map((ends) => [...codes].findIndex((code) => ends.includes(code)));
  return {
    axes: axes as unknown as Orienting['axes'],
    flipped: axes.map((axis, i) => codes[axis] === DIRECTIONS[i]?.[0]) as unknown as Orienting['flipped'],
  };
}

/** Whether nothing is to be done. */
export function isAsStored({ axes, flipped }: Orienting): boolean {
  return axes.every((axis, i) => axis === i) && !flipped.includes(true);
}

/** Lengths along the stored axes, along the oriented ones. */
export function orientExtent([...extent]: Extent, { axes }: Orienting): Extent {
  return axes.map((axis) => extent[axis]) as unknown as Extent;
}

/** Where oriented voxels lie in a stored volume of a size: that of (0, 0, 0), and the steps along x, y, z. */
export function storedSteps(
  size: Extent,
  { axes, flipped }: Orienting,
): { readonly first: number; readonly steps: Extent } {
  const strides = [1, size[0], size[0] * size[1]];
  const steps = axes.map((axis, i) => (flipped[i] ? -1 : 1) * (strides[axis] as number));
  const first = axes.reduce<number>(
    (sum, axis, i) => sum + (flipped[i] ? ((size[axis] as number) - 1) * (strides[axis] as number) : 0),
    0,
  );
  return { first, steps: steps as unknown as Extent };
}

/** The voxels (z, y, x) of a stored volume in their oriented order; the same array where that is the stored one. */
export function orient<T extends Float32Array | Float64Array | Uint8Array>(
  voxels: T,
  size: Extent,
  orienting: Orienting,
): T {
  if (isAsStored(orienting)) return voxels;
  const { first, steps } = storedSteps(size, orienting);
  const [nx, ny, nz] = orientExtent(size, orienting);
  const [sx, sy, sz] = steps;
  const out = new (voxels.constructor as new (length: number) => T)(voxels.length);
  let at = 0;
  for (let z = 0; z < nz; z++)
    for (let y = 0; y < ny; y++) {
      let from = first + y * sy + z * sz;
      for (let x = 0; x < nx; x++, from += sx) out[at++] = voxels[from] as number;
    }
  return out;
}

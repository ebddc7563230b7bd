// Orients the axes of a volume to those of the body: permutes and flips them so that x, y, z point right, anterior and
// superior. Exact: no voxel changes its value. After prediction the same steps are undone.

import { type Affine } from './nifti/affine.js';
import { type Extent } from './preprocess.js';

/** The mapping from the axes of an oriented volume to the stored ones. */
export interface Orienting {
  /** The stored axis that becomes x, y and z. */
  readonly axes: readonly [number, number, number];
  /** Whether the axis is reversed. */
  readonly flipped: readonly [boolean, boolean, boolean];
}

const AS_STORED: Orienting = { axes: [0, 1, 2], flipped: [false, false, false] };
const DIRECTIONS = ['LR', 'PA', 'IS'] as const;

/** The mapping for axes that point to `codes` (see `axisCodes`): to right, anterior, superior, or unchanged. */
export function orientingOf(codes: string, orientation: 'RAS' | 'keep'): Orienting {
  return orientation === 'keep' ? AS_STORED : orientingTo(codes, orientation);
}

/** The mapping for axes that point to `codes` so that they point to `wanted`. */
export function orientingTo(codes: string, wanted: string): Orienting {
  const axes = [...wanted].map((code) => {
    const ends = DIRECTIONS.find((pair) => pair.includes(code)) as string;
    return [...codes].findIndex((stored) => ends.includes(stored));
  });
  return {
    axes: axes as unknown as Orienting['axes'],
    flipped: axes.map((axis, i) => codes[axis] !== wanted[i]) as unknown as Orienting['flipped'],
  };
}

/** Whether the text names each direction of the body once, such as `RAS` or `PIL`. */
export function areAxisCodes(codes: string): boolean {
  return (
    codes.length === 3 &&
    DIRECTIONS.every((ends) => [...codes].filter((code) => ends.includes(code)).length === 1)
  );
}

/** The mapping back: from the axes of the stored volume to the oriented ones. */
export function inverseOf({ axes, flipped }: Orienting): Orienting {
  const back = [0, 1, 2].map((stored) => axes.indexOf(stored));
  return {
    axes: back as unknown as Orienting['axes'],
    flipped: back.map((axis) => flipped[axis]) as unknown as Orienting['flipped'],
  };
}

/** Whether the mapping changes nothing. */
export function isAsStored({ axes, flipped }: Orienting): boolean {
  return axes.every((axis, i) => axis === i) && !flipped.includes(true);
}

/** Converts lengths along the stored axes to lengths along the oriented axes. */
export function orientExtent([...extent]: Extent, { axes }: Orienting): Extent {
  return axes.map((axis) => extent[axis]) as unknown as Extent;
}

/** The matrix of an oriented volume: voxels stay where they are in space. `size` is that of the stored volume. */
export function orientAffine(affine: Affine, size: Extent, { axes, flipped }: Orienting): Affine {
  return affine.map((row) => {
    // A difference, since the product of -1 and 0 is -0.
    const steps = axes.map((axis, i) => (flipped[i] ? 0 - (row[axis] as number) : (row[axis] as number)));
    const first = axes.reduce<number>(
      (sum, axis, i) => sum + (flipped[i] ? ((size[axis] as number) - 1) * (row[axis] as number) : 0),
      row[3] as number,
    );
    return [...steps, first];
  });
}

/** The index of the oriented voxel (0, 0, 0) in a stored volume of this size, and the strides along oriented x, y, z. */
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

/** The voxels (z, y, x) of a stored volume in oriented order; the same array if the order does not change. */
export function orient<T extends Float32Array | Float64Array | Int16Array | Uint8Array>(
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

// Boxes of voxels inside a volume. Volumes are (z, y, x) with x fastest, sizes and boxes in the order x, y, z.

import { type Extent } from '../data/preprocess.js';

/** Voxels from `from` up to, but not including, `to`. */
export interface Box {
  readonly from: Extent;
  readonly to: Extent;
}

/** Label indices at each voxel; 0 is background. */
export type IndexMap = Uint8Array | Uint16Array;

/** The smallest box around the voxels of each index from 0 to `largest`; undefined for background and for absent indices. */
export function indexBoxes(map: IndexMap, [nx, ny, nz]: Extent, largest: number): (Box | undefined)[] {
  const low = [0, 1, 2].map(() => new Int32Array(largest + 1).fill(0x7fffffff));
  const high = [0, 1, 2].map(() => new Int32Array(largest + 1).fill(-1));
  const [lowX, lowY, lowZ] = low as [Int32Array, Int32Array, Int32Array];
  const [highX, highY, highZ] = high as [Int32Array, Int32Array, Int32Array];
  let at = 0;
  for (let z = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++) {
        const index = map[at++] as number;
        if (index === 0) continue;
        if (x < (lowX[index] as number)) lowX[index] = x;
        if (x > (highX[index] as number)) highX[index] = x;
        if (y < (lowY[index] as number)) lowY[index] = y;
        if (y > (highY[index] as number)) highY[index] = y;
        if (z < (lowZ[index] as number)) lowZ[index] = z;
        highZ[index] = z;
      }
  return Array.from({ length: largest + 1 }, (_, index) =>
    (highX[index] as number) < 0
      ? undefined
      : {
          from: low.map((axis) => axis[index]) as unknown as Extent,
          to: high.map((axis) => (axis[index] as number) + 1) as unknown as Extent,
        },
  );
}

/** The smallest box around several; undefined if there is none. */
export function unionBox(boxes: readonly (Box | undefined)[]): Box | undefined {
  return boxes.reduce((a, b) => {
    if (a === undefined || b === undefined) return a ?? b;
    return {
      from: a.from.map((value, axis) => Math.min(value, b.from[axis] as number)) as unknown as Extent,
      to: a.to.map((value, axis) => Math.max(value, b.to[axis] as number)) as unknown as Extent,
    };
  }, undefined);
}

export function boxSize({ from, to }: Box): Extent {
  return to.map((value, axis) => value - (from[axis] as number)) as unknown as Extent;
}

/** The mask (0, 1) inside a box: 1 where `member` is 1 for the index of the voxel. */
export function cropMask(map: IndexMap, [nx, ny]: Extent, { from, to }: Box, member: Uint8Array): Uint8Array {
  const [width, height, depth] = boxSize({ from, to });
  const mask = new Uint8Array(width * height * depth);
  let out = 0;
  for (let z = from[2]; z < to[2]; z++)
    for (let y = from[1]; y < to[1]; y++) {
      const row = (z * ny + y) * nx;
      for (let x = from[0]; x < to[0]; x++) mask[out++] = member[map[row + x] as number] as number;
    }
  return mask;
}

// Sizes of volumes, and their change by cropping and padding around the centre. Padding is 0, after normalisation: the mean for
// z-score and ct, the lower end for windows.

import { type VolumeSize } from '../engine/engine.js';

/** Voxels along x, y, z. */
export type Extent = readonly [x: number, y: number, z: number];

/** A part of a volume: voxels from `from` on, before `to`. */
export interface Box {
  readonly from: Extent;
  readonly to: Extent;
}

type Voxels = Float64Array | Float32Array | Uint8Array;

/** Converts a size in NIfTI order (x, y, z) to that of an engine (D, H, W). */
export function volumeSize([x, y, z]: Extent): VolumeSize {
  return [z, y, x];
}

/** The number of padding voxels before a volume when its size changes; negative for cropping. */
function offsetBefore(from: number, to: number): number {
  return to >= from ? Math.floor((to - from) / 2) : -Math.floor((from - to) / 2);
}

/** Crops and pads one channel around its centre into `out` (z, y, x), which must contain zeros. */
export function cropPad(voxels: Voxels, from: Extent, to: Extent, out: Float32Array | Uint8Array): void {
  const [ox, oy, oz] = [0, 1, 2].map((axis) => offsetBefore(from[axis] as number, to[axis] as number)) as [
    number,
    number,
    number,
  ];
  const first = Math.max(0, -ox);
  const last = Math.min(from[0], to[0] - ox);
  for (let z = Math.max(0, -oz); z < Math.min(from[2], to[2] - oz); z++)
    for (let y = Math.max(0, -oy); y < Math.min(from[1], to[1] - oy); y++) {
      const row = (z * from[1] + y) * from[0];
      out.set(voxels.subarray(row + first, row + last), ((z + oz) * to[1] + y + oy) * to[0] + first + ox);
    }
}

/** The part of a cropped or padded volume that comes from the volume itself. */
export function keptBox(from: Extent, to: Extent): Box {
  const before = ([0, 1, 2] as const).map((axis) => offsetBefore(from[axis], to[axis]));
  return {
    from: before.map((offset) => Math.max(0, offset)) as unknown as Extent,
    to: before.map((offset, axis) =>
      Math.min(to[axis] as number, (from[axis] as number) + offset),
    ) as unknown as Extent,
  };
}

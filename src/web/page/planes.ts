// The three planes of a volume whose axes point to the right, to the front and upwards. They are shown as radiologists look at them:
// from the feet and from the face, so that the right of the patient is on the left; in the sagittal plane the face is on the left.

import { type Extent } from '../../data/preprocess.js';

export interface Plane {
  readonly name: 'axial' | 'coronal' | 'sagittal';
  /** The axes of the volume along columns, rows and slices of this plane; columns and rows run in the opposite direction. */
  readonly across: 0 | 1 | 2;
  readonly down: 0 | 1 | 2;
  readonly through: 0 | 1 | 2;
  /** The directions of the body at the left, right, upper and lower edge. */
  readonly edges: readonly [left: string, right: string, top: string, bottom: string];
}

export const PLANES: readonly Plane[] = [
  { name: 'axial', across: 0, down: 1, through: 2, edges: ['R', 'L', 'A', 'P'] },
  { name: 'coronal', across: 0, down: 2, through: 1, edges: ['R', 'L', 'S', 'I'] },
  { name: 'sagittal', across: 1, down: 2, through: 0, edges: ['A', 'P', 'S', 'I'] },
];

/** Copies the plane at index `slice` out of a volume (z, y, x); row by row from the top left. */
export function cutPlane(
  volume: Uint8Array,
  size: Extent,
  { across, down, through }: Plane,
  slice: number,
): Uint8Array {
  const strides = [1, size[0], size[0] * size[1]] as const;
  const [width, height] = [size[across], size[down]];
  const out = new Uint8Array(width * height);
  for (let row = 0, to = 0; row < height; row++) {
    let from = slice * strides[through] + (height - 1 - row) * strides[down] + (width - 1) * strides[across];
    for (let column = 0; column < width; column++, from -= strides[across])
      out[to++] = volume[from] as number;
  }
  return out;
}

/** The voxel at a position in a plane, from (0, 0) at the top left to (1, 1); positions outside give the nearest voxel. */
export function voxelAt(
  { across, down }: Plane,
  size: Extent,
  place: readonly [number, number],
  voxel: Extent,
): Extent {
  const next: [number, number, number] = [...voxel];
  for (const [axis, value] of [
    [across, place[0]],
    [down, place[1]],
  ] as const) {
    const index = Math.min(Math.max(Math.floor(value * size[axis]), 0), size[axis] - 1);
    next[axis] = size[axis] - 1 - index;
  }
  return next;
}

/** The position of the centre of a voxel in a plane, as in `voxelAt`. */
export function placeOf({ across, down }: Plane, size: Extent, voxel: Extent): [number, number] {
  return [across, down].map((axis) => (size[axis] - 0.5 - voxel[axis]) / size[axis]) as [number, number];
}

// Three planes of a sample as pixels, with the outlines of its labels.

import { type Sample } from '../engine/engine.js';
import { type Extent } from '../data/preprocess.js';
import { percentileOf } from '../data/percentile.js';

/** RGB pixels, rows from the top. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Colours of label indices 1, 2, ...; they repeat (Okabe and Ito 2008, for all kinds of colour vision). */
const COLOURS = [
  [0xe6, 0x9f, 0x00],
  [0x56, 0xb4, 0xe9],
  [0x00, 0x9e, 0x73],
  [0xf0, 0xe4, 0x42],
  [0xd5, 0x5e, 0x00],
  [0xcc, 0x79, 0xa7],
] as const;

/** Between the planes of a sample. */
const GAP = 2;

/**
 * The planes across z, y and x, from left to right, through the middle of the labelled voxels; each voxel is `zoom` pixels wide.
 * x points to the right, or y in the last plane; y and z point up. Grey is the first channel from its 0.5 to its 99.5 percentile.
 */
export function drawPlanes({ image, label }: Sample, size: Extent, zoom: number): Picture {
  const [at, grey] = [middleOf(label, size), greyOf(image.subarray(0, label.length))];
  const index = ([x, y, z]: Extent): number => (z * size[1] + y) * size[0] + x;
  const planes: readonly Plane[] = [
    { across: size[0], up: size[1], voxel: (i, j) => index([i, j, at[2]]) },
    { across: size[0], up: size[2], voxel: (i, j) => index([i, at[1], j]) },
    { across: size[1], up: size[2], voxel: (i, j) => index([at[0], i, j]) },
  ];
  const picture = blank(planesSize(size, zoom));
  let left = 0;
  for (const plane of planes) {
    drawPlane(picture, left, plane, zoom, (voxel) => grey(image[voxel] as number), label);
    left += plane.across * zoom + GAP;
  }
  return picture;
}

/** Pixels of the planes of a sample. */
export function planesSize([x, y, z]: Extent, zoom: number): { width: number; height: number } {
  return { width: (2 * x + y) * zoom + 2 * GAP, height: Math.max(y, z) * zoom };
}

/** A white picture. */
export function blank({ width, height }: { width: number; height: number }): Picture {
  return { width, height, pixels: new Uint8Array(3 * width * height).fill(255) };
}

/** Copies a picture into another one. */
export function paste(from: Picture, to: Picture, left: number, top: number): void {
  for (let y = 0; y < from.height; y++)
    to.pixels.set(
      from.pixels.subarray(3 * y * from.width, 3 * (y + 1) * from.width),
      3 * ((top + y) * to.width + left),
    );
}

interface Plane {
  readonly across: number;
  readonly up: number;
  /** The index of a voxel. */
  readonly voxel: (across: number, up: number) => number;
}

function drawPlane(
  { width, pixels }: Picture,
  left: number,
  { across, up, voxel }: Plane,
  zoom: number,
  grey: (voxel: number) => number,
  label: Uint8Array,
): void {
  const labelAt = (u: number, v: number): number =>
    label[voxel(Math.floor(u / zoom), up - 1 - Math.floor(v / zoom))] as number;
  for (let v = 0; v < up * zoom; v++)
    for (let u = 0; u < across * zoom; u++) {
      const own = labelAt(u, v);
      const neighbours = [
        [u - 1, v],
        [u + 1, v],
        [u, v - 1],
        [u, v + 1],
      ] as const;
      const isEdge =
        own > 0 &&
        neighbours.some(
          ([i, j]) => i >= 0 && j >= 0 && i < across * zoom && j < up * zoom && labelAt(i, j) !== own,
        );
      const value = grey(voxel(Math.floor(u / zoom), up - 1 - Math.floor(v / zoom)));
      const colour = isEdge
        ? (COLOURS[(own - 1) % COLOURS.length] as readonly number[])
        : [value, value, value];
      pixels.set(colour, 3 * (v * width + left + u));
    }
}

/** The voxel in the middle of all labelled voxels; without any, that of the volume. */
function middleOf(label: Uint8Array, size: Extent): Extent {
  const sums = [0, 0, 0] as [number, number, number];
  let count = 0;
  for (let z = 0, at = 0; z < size[2]; z++)
    for (let y = 0; y < size[1]; y++)
      for (let x = 0; x < size[0]; x++)
        if ((label[at++] as number) > 0) {
          sums[0] += x;
          sums[1] += y;
          sums[2] += z;
          count++;
        }
  return sums.map((sum, axis) =>
    count === 0 ? Math.floor((size[axis] as number) / 2) : Math.round(sum / count),
  ) as unknown as Extent;
}

/** From intensities to 0 to 255. */
function greyOf(voxels: Float32Array): (value: number) => number {
  const sorted = voxels.slice().sort();
  const [low, high] = [percentileOf(sorted, 0.5), percentileOf(sorted, 99.5)];
  return (value) => Math.round(255 * Math.min(1, Math.max(0, (value - low) / Math.max(high - low, 1e-8))));
}

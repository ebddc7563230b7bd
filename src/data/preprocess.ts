// Preprocesses a decoded volume for a network: resamples, normalises, crops and pads it around the centre.
// Normalisation uses the whole volume, before cropping and padding. Padding is 0: the mean for z-score, the lower end for
// windows.

import { type VolumeSize } from '../engine/engine.js';
import { type Normalisation } from '../config/schema.js';
import { percentileOf } from './percentile.js';

/** Voxels along x, y, z. */
export type Extent = readonly [x: number, y: number, z: number];

/** Smallest and largest intensity of a channel. */
export interface IntensityRange {
  readonly min: number;
  readonly max: number;
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

/** The size after resampling: the same extent in mm, at least one voxel along each axis. */
export function resampledSize(size: Extent, spacing: Extent, wanted: Extent): Extent {
  return size.map((voxels, axis) =>
    Math.max(1, Math.round((voxels * (spacing[axis] as number)) / (wanted[axis] as number))),
  ) as unknown as Extent;
}

/** The mm between voxels after resampling to a size: the same extent, so nearly the spacing that was wanted. */
export function resampledSpacing(size: Extent, spacing: Extent, resampled: Extent): Extent {
  return size.map(
    (voxels, axis) => (voxels * (spacing[axis] as number)) / (resampled[axis] as number),
  ) as unknown as Extent;
}

/** Resamples one channel between grids that cover the same extent: linear, or the nearest voxel for labels. */
export function resample<T extends Voxels>(voxels: T, from: Extent, to: Extent, nearest: boolean): T {
  const out = new (voxels.constructor as new (length: number) => T)(to[0] * to[1] * to[2]);
  // For each output index along an axis: two input indices and the weight of the second.
  const axes = ([0, 1, 2] as const).map((axis) =>
    Array.from({ length: to[axis] }, (_, i) => {
      const at = Math.min(Math.max(((i + 0.5) * from[axis]) / to[axis] - 0.5, 0), from[axis] - 1);
      const low = nearest ? Math.floor(at + 0.5) : Math.floor(at);
      return {
        low: Math.min(low, from[axis] - 1),
        high: Math.min(low + 1, from[axis] - 1),
        weight: nearest ? 0 : at - low,
      };
    }),
  );
  const [xs, ys, zs] = axes as [(typeof axes)[0], (typeof axes)[0], (typeof axes)[0]];
  let at = 0;
  for (const z of zs)
    for (const y of ys) {
      const rows = [
        (z.low * from[1] + y.low) * from[0],
        (z.low * from[1] + y.high) * from[0],
        (z.high * from[1] + y.low) * from[0],
        (z.high * from[1] + y.high) * from[0],
      ] as const;
      for (const x of xs) {
        if (nearest) {
          out[at++] = voxels[rows[0] + x.low] as number;
          continue;
        }
        const along = (row: number): number =>
          (voxels[row + x.low] as number) * (1 - x.weight) + (voxels[row + x.high] as number) * x.weight;
        const near = along(rows[0]) * (1 - y.weight) + along(rows[1]) * y.weight;
        const far = along(rows[2]) * (1 - y.weight) + along(rows[3]) * y.weight;
        out[at++] = near * (1 - z.weight) + far * z.weight;
      }
    }
  return out;
}

/** Resamples one channel to a grid and normalises it. Changes `stored` if it is already on that grid. */
export function prepareChannel<T extends Float32Array | Float64Array>(
  stored: T,
  size: Extent,
  grid: Extent,
  how: Normalisation,
): { readonly voxels: T; readonly range: IntensityRange } {
  const voxels = grid.join() === size.join() ? stored : resample(stored, size, grid, false);
  return { voxels, range: normalise(voxels, how) };
}

/**
 * Normalises one channel of one volume in place. Returns its smallest and largest value before; if they are equal, the
 * channel is constant.
 */
export function normalise(voxels: Float32Array | Float64Array, how: Normalisation): IntensityRange {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (const value of voxels) {
    if (value < low) low = value;
    if (value > high) high = value;
    sum += value;
  }
  const constant = low === high;
  const found = { min: low, max: high };
  if (how === 'none') return found;
  if (how === 'z-score') {
    const mean = sum / voxels.length;
    let squares = 0;
    for (const value of voxels) squares += (value - mean) ** 2;
    const deviation = Math.max(Math.sqrt(squares / voxels.length), 1e-8);
    for (let i = 0; i < voxels.length; i++)
      voxels[i] = constant ? 0 : ((voxels[i] as number) - mean) / deviation;
    return found;
  }
  const [from, to] = 'window' in how ? how.window : percentiles(voxels, how.percentile);
  const range = Math.max(to - from, 1e-8);
  for (let i = 0; i < voxels.length; i++)
    voxels[i] = Math.min(1, Math.max(0, ((voxels[i] as number) - from) / range));
  return found;
}

function percentiles(
  voxels: Float32Array | Float64Array,
  [low, high]: readonly [number, number],
): [number, number] {
  const sorted = voxels.slice().sort();
  return [percentileOf(sorted, low), percentileOf(sorted, high)];
}

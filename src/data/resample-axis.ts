// Resamples a volume along one axis, smoothed with a Gaussian before. Both together are one weighted sum: of a smoothed volume, most
// voxels would be left out again.

import { type Place, placesAlong } from './places.js';
import { type Extent } from './preprocess.js';

/** Where the Gaussian ends, in deviations; SciPy has the same. */
const TRUNCATE = 4;

/** How an axis is resampled. */
export interface AxisResampling {
  readonly axis: 0 | 1 | 2;
  /** Voxels along it afterwards. */
  readonly to: number;
  /** Deviation of the Gaussian, in stored voxels; 0 for none. Beyond an edge its voxel goes on. */
  readonly sigma: number;
  /** Whether the nearest voxel is taken, instead of linear interpolation. */
  readonly nearest: boolean;
}

/** A volume of `size` voxels, smoothed and resampled along an axis. */
export function resampleAxis<T extends Float32Array | Float64Array>(
  voxels: T,
  size: Extent,
  { axis, to, sigma, nearest }: AxisResampling,
): T {
  const from = size[axis];
  const sums = weightedSums(placesAlong(from, to, nearest), from, gaussian(sigma));
  const [nx, ny, nz] = size;
  const out = new (voxels.constructor as new (length: number) => T)((voxels.length / from) * to);
  if (axis === 0) for (let row = 0; row < ny * nz; row++) sumAlong(voxels, row * nx, sums, out, row * to);
  // Along y and z whole rows of x are added up, so memory is read in its order.
  else if (axis === 1)
    for (let z = 0; z < nz; z++) sumRows(voxels, z * nx * ny, sums, out, z * nx * to, nx, nx);
  else for (let y = 0; y < ny; y++) sumRows(voxels, y * nx, sums, out, y * nx, nx * ny, nx);
  return out;
}

/** What each voxel of the new grid is the sum of: `count` voxels from `first` on, with their weights. */
interface Sums {
  readonly count: number;
  readonly first: Int32Array;
  /** (voxels, count) */
  readonly weights: Float64Array;
}

/** The weights of a Gaussian from its middle outwards; those of both sides together add up to 1. */
function gaussian(sigma: number): Float64Array {
  if (sigma === 0) return Float64Array.of(1);
  const radius = Math.floor(TRUNCATE * sigma + 0.5);
  const half = Float64Array.from({ length: radius + 1 }, (_, i) => Math.exp(-((i / sigma) ** 2) / 2));
  const sum = half.reduce((all, weight, i) => all + (i === 0 ? weight : 2 * weight), 0);
  return half.map((weight) => weight / sum);
}

function weightedSums(places: readonly Place[], length: number, half: Float64Array): Sums {
  const radius = half.length - 1;
  const count = Math.min(length, 2 * radius + 2);
  const first = new Int32Array(places.length);
  const weights = new Float64Array(places.length * count);
  for (const [j, { low, high, weight }] of places.entries()) {
    const begin = Math.min(Math.max(low - radius, 0), length - count);
    first[j] = begin;
    for (let k = -radius; k <= radius; k++)
      for (const [middle, share] of [
        [low, 1 - weight],
        [high, weight],
      ] as const) {
        const at = j * count + Math.min(Math.max(middle + k, 0), length - 1) - begin;
        weights[at] = (weights[at] as number) + share * (half[Math.abs(k)] as number);
      }
  }
  return { count, first, weights };
}

/** One row of x. */
function sumAlong(
  voxels: Float32Array | Float64Array,
  start: number,
  { count, first, weights }: Sums,
  out: Float32Array | Float64Array,
  to: number,
): void {
  for (let j = 0; j < first.length; j++) {
    const from = start + (first[j] as number);
    const at = j * count;
    let sum = 0;
    for (let k = 0; k < count; k++) sum += (voxels[from + k] as number) * (weights[at + k] as number);
    out[to + j] = sum;
  }
}

/** Rows of x that lie `step` apart. */
function sumRows(
  voxels: Float32Array | Float64Array,
  start: number,
  { count, first, weights }: Sums,
  out: Float32Array | Float64Array,
  to: number,
  step: number,
  width: number,
): void {
  const sums = new Float64Array(width);
  for (let j = 0; j < first.length; j++) {
    sums.fill(0);
    // Two at a time, which halves the work on the sums.
    for (let k = 0; k < count; k += 2) {
      const last = k + 1 === count;
      const near = start + ((first[j] as number) + k) * step;
      const far = last ? near : near + step;
      const [a, b] = [weights[j * count + k] as number, last ? 0 : (weights[j * count + k + 1] as number)];
      for (let x = 0; x < width; x++)
        sums[x] = (sums[x] as number) + (voxels[near + x] as number) * a + (voxels[far + x] as number) * b;
    }
    out.set(sums, to + j * step);
  }
}

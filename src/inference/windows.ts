// The windows that cover a grid, and their weights where they overlap. Windows form a grid themselves, so the sum of all weights at
// a voxel is a product of three sums along the axes, and no volume of weights is needed.

import { type Extent } from '../data/preprocess.js';

/** The windows along one axis. */
export interface AxisWindows {
  /** The first index of each window, ascending. */
  readonly starts: readonly number[];
  /** The weights of the voxels of a window along this axis. */
  readonly weights: Float32Array;
  /** The sum of the weights at each voxel. */
  readonly sums: Float32Array;
}

/** The standard deviation of the Gaussian as a fraction of the window, and the smallest weight of a voxel (as in nnU-Net). */
const SIGMA = 1 / 8;
const FLOOR = 1e-3;

/**
 * Windows of length w that cover a grid of n voxels. Neighbours share at least the fraction `overlap` (0 to below 1) of a window:
 * there are ceil((n - w) / (w (1 - overlap))) + 1 windows, evenly spread from the first voxel to the last. Weights are Gaussian,
 * largest in the middle of a window; the weights of a single window are all equal.
 */
export function axisWindows(grid: number, length: number, overlap: number): AxisWindows {
  // A step is at least one voxel.
  const step = Math.max(1, length * (1 - overlap));
  // Rounding of the step must not add a window.
  const count = grid <= length ? 1 : Math.ceil((grid - length) / step - 1e-9) + 1;
  const starts = Array.from({ length: count }, (_, i) =>
    count === 1 ? 0 : Math.round((i * (grid - length)) / (count - 1)),
  );
  const weights = Float32Array.from({ length }, (_, i) => {
    const distance = (i - (length - 1) / 2) / (SIGMA * length);
    return count === 1 ? 1 : Math.max(Math.exp(-(distance ** 2) / 2), FLOOR);
  });
  const sums = new Float32Array(Math.max(grid, length));
  for (const start of starts)
    for (let i = 0; i < length; i++) sums[start + i] = (sums[start + i] as number) + (weights[i] as number);
  return { starts, weights, sums };
}

/**
 * Copies the window at `start` from a channel (z, y, x) into `out`. `start` may lie outside of the grid, where voxels are zero.
 */
export function cutWindow(
  voxels: Float32Array | Float64Array,
  grid: Extent,
  start: Extent,
  [w, h, d]: Extent,
  out: Float32Array,
): void {
  out.fill(0);
  const first = Math.max(0, -start[0]);
  const last = Math.min(w, grid[0] - start[0]);
  for (let z = Math.max(0, -start[2]); z < Math.min(d, grid[2] - start[2]); z++)
    for (let y = Math.max(0, -start[1]); y < Math.min(h, grid[1] - start[1]); y++) {
      const row = ((z + start[2]) * grid[1] + y + start[1]) * grid[0] + start[0];
      out.set(voxels.subarray(row + first, row + last), (z * h + y) * w + first);
    }
}

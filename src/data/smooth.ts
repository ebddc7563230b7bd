// Smooths a volume with a Gaussian, axis by axis.

import { type Extent } from './preprocess.js';

/** Where the Gaussian ends, in deviations; SciPy has the same. */
const TRUNCATE = 4;

/** Smooths in place. `sigma` are deviations in voxels along x, y, z; 0 for none. Beyond an edge its voxel goes on. */
export function smooth(voxels: Float32Array | Float64Array, size: Extent, sigma: Extent): void {
  const [nx, ny, nz] = size;
  const plane = nx * ny;
  // Along y and z whole rows of x are added to each other, so memory is read in its order.
  const lines: readonly Lines[] = [
    { starts: range(ny * nz, nx), stride: 1, count: nx, width: 1 },
    { starts: range(nz, plane), stride: nx, count: ny, width: nx },
    { starts: range(ny, nx), stride: plane, count: nz, width: nx },
  ];
  for (const [axis, along] of lines.entries()) {
    const deviation = sigma[axis] as number;
    if (deviation > 0) convolve(voxels, along, gaussian(deviation));
  }
}

/** Groups of parallel lines along an axis: `width` of them lie side by side. */
interface Lines {
  /** The index of the first voxel of each group. */
  readonly starts: readonly number[];
  /** From one voxel of a line to the next. */
  readonly stride: number;
  /** Voxels of a line. */
  readonly count: number;
  readonly width: number;
}

const range = (count: number, step: number): number[] => Array.from({ length: count }, (_, i) => i * step);

/** The weights of a Gaussian from its middle outwards; those of both sides together add up to 1. */
function gaussian(sigma: number): Float64Array {
  const radius = Math.floor(TRUNCATE * sigma + 0.5);
  const half = Float64Array.from({ length: radius + 1 }, (_, i) => Math.exp(-((i / sigma) ** 2) / 2));
  const sum = half.reduce((all, weight, i) => all + (i === 0 ? weight : 2 * weight), 0);
  return half.map((weight) => weight / sum);
}

function convolve(
  voxels: Float32Array | Float64Array,
  { starts, stride, count, width }: Lines,
  half: Float64Array,
): void {
  const radius = half.length - 1;
  // The lines of a group as they were, with their ends prolonged.
  const lines = new Float64Array((count + 2 * radius) * width);
  for (const start of starts) {
    for (let i = -radius; i < count + radius; i++) {
      const from = start + Math.min(Math.max(i, 0), count - 1) * stride;
      const to = (i + radius) * width;
      for (let w = 0; w < width; w++) lines[to + w] = voxels[from + w] as number;
    }
    for (let i = 0; i < count; i++) {
      const middle = (i + radius) * width;
      const to = start + i * stride;
      for (let w = 0; w < width; w++) {
        let sum = (lines[middle + w] as number) * (half[0] as number);
        for (let k = 1; k <= radius; k++)
          sum +=
            ((lines[middle + w - k * width] as number) + (lines[middle + w + k * width] as number)) *
            (half[k] as number);
        voxels[to + w] = sum;
      }
    }
  }
}

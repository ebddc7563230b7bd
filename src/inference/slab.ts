// Adds up the probabilities of windows in a ring buffer of the planes that windows still touch. Complete planes are averaged and
// passed on.

import { type Extent } from '../data/preprocess.js';
import { type PlaneSink } from './planes.js';
import { type AxisWindows } from './windows.js';

/** A probability of a network is NaN. */
export class OverflowError extends Error {
  constructor() {
    super('a probability is not a number');
    this.name = 'OverflowError';
  }
}

/** The windows along x, y, z. */
export type Windows = readonly [AxisWindows, AxisWindows, AxisWindows];

/** The sums of the planes that windows still touch, in a ring buffer of planes. */
export function slabOf(
  outputs: number,
  grid: Extent,
  size: Extent,
  margin: Extent,
  axes: Windows,
  sink: PlaneSink,
): { add: (found: Float32Array, place: Extent) => void; give: (end: number, passes: number) => void } {
  const width = Math.max(grid[0], size[0]);
  const area = width * Math.max(grid[1], size[1]);
  const sums = new Float32Array(size[2] * outputs * area);
  const plane = new Float32Array(outputs * grid[0] * grid[1]);
  let next = 0;
  return {
    add(found, [x, y, z]) {
      const [alongX, alongY, alongZ] = axes.map(({ weights }) => weights) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const [w, h, d] = size;
      for (let k = 0, from = 0; k < outputs; k++)
        for (let dz = 0; dz < d; dz++)
          for (let dy = 0; dy < h; dy++, from += w) {
            const weight = (alongZ[dz] as number) * (alongY[dy] as number);
            const to = (((z + dz) % d) * outputs + k) * area + (y + dy) * width + x;
            for (let dx = 0; dx < w; dx++)
              sums[to + dx] =
                (sums[to + dx] as number) + (found[from + dx] as number) * weight * (alongX[dx] as number);
          }
    },
    give(end, passes) {
      for (; next < end; next++) {
        const start = (next % size[2]) * outputs * area;
        const z = next - margin[2];
        if (z >= 0 && z < grid[2]) {
          average(
            sums,
            start,
            area,
            width,
            plane,
            grid,
            margin,
            axes,
            (axes[2].sums[next] as number) * passes,
          );
          sink(z, plane);
        }
        sums.fill(0, start, start + outputs * area);
      }
    },
  };
}

/** Divides the sums of a plane by the sums of weights; throws an OverflowError for NaN. */
function average(
  sums: Float32Array,
  start: number,
  area: number,
  width: number,
  plane: Float32Array,
  grid: Extent,
  margin: Extent,
  [xs, ys]: Windows,
  counted: number,
): void {
  const [alongX, alongY] = [xs.sums, ys.sums];
  let all = 0;
  for (let at = 0, from = start; at < plane.length; from += area)
    for (let y = 0; y < grid[1]; y++) {
      const row = from + (y + margin[1]) * width + margin[0];
      const divisor = counted * (alongY[y + margin[1]] as number);
      for (let x = 0; x < grid[0]; x++, at++) {
        const p = (sums[row + x] as number) / (divisor * (alongX[x + margin[0]] as number));
        plane[at] = p;
        all += p;
      }
    }
  if (!Number.isFinite(all)) throw new OverflowError();
}

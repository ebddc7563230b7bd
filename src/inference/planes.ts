// Resamples probabilities from the grid of the network back to the grid of the scan, plane by plane, so that no volume of
// probabilities is kept.

import { type Extent } from '../data/preprocess.js';
import { placesAlong } from '../data/places.js';
import { type Resampling, changesGrid } from '../data/resample.js';

/** For each index of an axis: its two neighbours on the other grid, and the weight of the second. */
interface Between {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly weight: Float32Array;
  /** Whether both grids are equal along the axis. */
  readonly same: boolean;
}

function between(grid: number, size: number, nearest: boolean): Between {
  const places = placesAlong(grid, size, nearest);
  return {
    low: Int32Array.from(places, ({ low }) => low),
    high: Int32Array.from(places, ({ high }) => high),
    weight: Float32Array.from(places, ({ weight }) => weight),
    same: grid === size,
  };
}

/** Takes a plane z of probabilities, (outputs, y, x). The caller reuses the array afterwards. */
export type PlaneSink = (z: number, plane: Float32Array) => void;

/**
 * A sink for the planes of a resampled volume, from the first to the last. It passes all planes on the grid before resampling to
 * `sink`. Axes that were resampled to the nearest voxel use the nearest voxel again.
 */
export function resamplePlanes(
  outputs: number,
  resampling: Pick<Resampling, 'from' | 'to' | 'nearest'>,
  sink: PlaneSink,
): PlaneSink {
  if (!changesGrid(resampling)) return sink;
  const { to: grid, from: size, nearest } = resampling;
  const [xs, ys, zs] = [0, 1, 2].map((axis) =>
    between(grid[axis] as number, size[axis] as number, nearest[axis] as boolean),
  ) as [Between, Between, Between];
  const area = grid[0] * grid[1];
  let before = new Float32Array(outputs * area);
  let latest = new Float32Array(outputs * area);
  const mixed = new Float32Array(area);
  const row = new Float32Array(grid[0]);
  const plane = new Float32Array(outputs * size[0] * size[1]);
  let next = 0;
  const give = (): void => {
    const far = zs.weight[next] as number;
    // The latest plane is the second of its two neighbours, or the only one.
    const [a, b] = [far === 0 ? latest : before, latest];
    for (let k = 0; k < outputs; k++) {
      for (let i = 0, from = k * area; i < area; i++, from++)
        mixed[i] = (a[from] as number) * (1 - far) + (b[from] as number) * far;
      resamplePlane(mixed, grid, plane, k * size[0] * size[1], size, xs, ys, row);
    }
    sink(next++, plane);
  };
  return (z, given) => {
    [before, latest] = [latest, before];
    latest.set(given);
    while (next < size[2] && (zs.weight[next] === 0 ? zs.low : zs.high)[next] === z) give();
  };
}

function resamplePlane(
  from: Float32Array,
  grid: Extent,
  out: Float32Array,
  start: number,
  size: Extent,
  xs: Between,
  ys: Between,
  row: Float32Array,
): void {
  let at = start;
  for (let y = 0; y < size[1]; y++) {
    const near = (ys.low[y] as number) * grid[0];
    const far = (ys.high[y] as number) * grid[0];
    const weight = ys.weight[y] as number;
    for (let x = 0; x < grid[0]; x++)
      row[x] = (from[near + x] as number) * (1 - weight) + (from[far + x] as number) * weight;
    if (xs.same) out.set(row, at);
    else
      for (let x = 0; x < size[0]; x++) {
        const part = xs.weight[x] as number;
        out[at + x] =
          (row[xs.low[x] as number] as number) * (1 - part) + (row[xs.high[x] as number] as number) * part;
      }
    at += size[0];
  }
}

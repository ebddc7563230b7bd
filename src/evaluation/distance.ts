// Exact Euclidean distances to the nearest site on a grid, by the separable transform of P. F. Felzenszwalb and D. P. Huttenlocher,
// Distance Transforms of Sampled Functions (Theory of Computing 8, 2012), with a spacing for each axis. Only some points need a
// distance. So for the last axis, a search goes outwards from each of these points, which is also exact.

import { type Extent } from '../data/preprocess.js';

/** The steps of a column along z without a site. */
const NONE = 0xffff;

/**
 * The distance in mm from each query to the nearest site; infinite if there is no site. `sites` is 1 at the sites of a grid of
 * `size` (z, y, x; x fastest; fewer than 65,535 points along z) and 0 elsewhere. `queries` are indices into it in ascending order.
 */
export function nearestDistances(
  sites: Uint8Array,
  queries: Uint32Array,
  size: Extent,
  spacing: Extent,
): Float64Array {
  const [nx, ny, nz] = size;
  const plane = nx * ny;
  const along = stepsAlongZ(sites, plane, nz);
  const squares = new Float64Array(plane);
  const distances = new Float64Array(queries.length);
  for (let at = 0; at < queries.length;) {
    const z = Math.floor((queries[at] as number) / plane);
    squaresInPlane(along.subarray(z * plane, (z + 1) * plane), squares, size, spacing);
    for (; at < queries.length && (queries[at] as number) < (z + 1) * plane; at++)
      distances[at] = Math.sqrt(
        nearestAlongX(squares, (queries[at] as number) - z * plane, size, spacing[0]),
      );
  }
  return distances;
}

/** For each point, the number of steps along z to the nearest site, or NONE. */
function stepsAlongZ(sites: Uint8Array, plane: number, nz: number): Uint16Array {
  const steps = new Uint16Array(sites.length);
  for (let i = 0; i < plane; i++) steps[i] = sites[i] === 1 ? 0 : NONE;
  for (let i = plane; i < steps.length; i++) {
    const before = steps[i - plane] as number;
    steps[i] = sites[i] === 1 ? 0 : before === NONE ? NONE : before + 1;
  }
  for (let i = (nz - 1) * plane - 1; i >= 0; i--) {
    const after = (steps[i + plane] as number) + 1;
    if (after < (steps[i] as number)) steps[i] = after;
  }
  return steps;
}

/**
 * For every point of a plane, the smallest squared distance to a site with the same x: the lower envelope of parabolas along y.
 * `steps` is (y, x). `squares` is (x, y), so that each column is written contiguously.
 */
function squaresInPlane(
  steps: Uint16Array,
  squares: Float64Array,
  [nx, ny]: Extent,
  [, sy, sz]: Extent,
): void {
  const bases = new Float64Array(ny);
  const vertices = new Int32Array(ny);
  // Parabola k is the lowest one from `starts[k]` to the next start.
  const starts = new Float64Array(ny);
  const curvature = sy * sy;
  for (let x = 0; x < nx; x++) {
    let count = 0;
    for (let y = 0, from = x; y < ny; y++, from += nx) {
      const step = steps[from] as number;
      if (step === NONE) continue;
      const base = (step * sz) ** 2;
      let start = -Infinity;
      while (count > 0) {
        const vertex = vertices[count - 1] as number;
        start = ((base - (bases[count - 1] as number)) / (curvature * (y - vertex)) + y + vertex) / 2;
        if (start > (starts[count - 1] as number)) break;
        count--;
        start = -Infinity;
      }
      vertices[count] = y;
      bases[count] = base;
      starts[count] = start;
      count++;
    }
    const column = x * ny;
    if (count === 0) squares.fill(Infinity, column, column + ny);
    else
      for (let k = 0, y = 0; k < count; k++) {
        const last = k + 1 < count ? (starts[k + 1] as number) : ny;
        const vertex = vertices[k] as number;
        const base = bases[k] as number;
        for (; y <= last && y < ny; y++) squares[column + y] = base + ((y - vertex) * sy) ** 2;
      }
  }
}

/** The smallest squared distance at point `at` (y, x) of a plane, from the distances of its row. */
function nearestAlongX(squares: Float64Array, at: number, [nx, ny]: Extent, sx: number): number {
  const y = Math.floor(at / nx);
  const x = at - y * nx;
  let best = squares[x * ny + y] as number;
  for (let d = 1; d < nx; d++) {
    const across = (d * sx) ** 2;
    if (across >= best) break;
    if (d <= x) best = Math.min(best, (squares[(x - d) * ny + y] as number) + across);
    if (x + d < nx) best = Math.min(best, (squares[(x + d) * ny + y] as number) + across);
  }
  return best;
}

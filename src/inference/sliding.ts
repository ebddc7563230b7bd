// Sliding windows over a volume of any size: cuts windows out, runs them through one or several networks, and averages probabilities
// where windows overlap. Memory holds the volume, the windows of one call, and the planes that windows still touch. Without
// Node.js, on any engine.

import { type Inference } from '../config/inference.js';
import { type Extent } from '../data/preprocess.js';
import { type Network } from '../engine/engine.js';
import { mirrored, mirrorings } from './mirror.js';
import { type PlaneSink } from './planes.js';
import { type Windows, slabOf } from './slab.js';
import { axisWindows, cutWindow } from './windows.js';

/** How windows cover a volume. */
export interface Windowing extends Inference {
  /** Voxels of a window along x, y, z. */
  readonly size: Extent;
  /** The largest number of windows in a call of the engine. */
  readonly batch: number;
}

/** A preprocessed volume of any size. */
export interface Grid {
  /** Voxels along x, y, z. */
  readonly size: Extent;
  /** Each (z, y, x). */
  readonly channels: readonly (Float32Array | Float64Array)[];
}

export interface SlidingOptions {
  /** Called after each batch of windows. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
  /** Its reason is thrown when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** Voxels in a batch of windows; larger batches are not faster. */
const BATCH_VOXELS = 2 ** 20;
const MAX_BATCH = 8;

/** The number of windows of this size for a call of the engine. */
export function windowBatch([x, y, z]: Extent): number {
  return Math.min(MAX_BATCH, Math.max(1, Math.floor(BATCH_VOXELS / (x * y * z))));
}

/**
 * Runs all windows of a volume through networks with this number of outputs. Passes the mean probabilities to `sink`, plane by plane
 * from the first to the last, as soon as a plane is complete. Throws an OverflowError if a network gives NaN.
 */
export async function slideWindows(
  networks: readonly Network[],
  outputs: number,
  { size: grid, channels }: Grid,
  { size, overlap, mirror, batch }: Windowing,
  sink: PlaneSink,
  { progress, signal }: SlidingOptions = {},
): Promise<void> {
  const flips = mirrorings(mirror);
  const axes = [0, 1, 2].map((axis) =>
    axisWindows(grid[axis] as number, size[axis] as number, overlap),
  ) as unknown as Windows;
  const [xs, ys, zs] = axes;
  // A grid that is smaller than a window lies in its middle, as training pads it.
  const margin = size.map((length, axis) =>
    Math.max(0, Math.floor((length - (grid[axis] as number)) / 2)),
  ) as unknown as Extent;
  const slab = slabOf(outputs, grid, size, margin, axes, sink);
  const passes = networks.length * flips.length;
  const total = xs.starts.length * ys.starts.length * zs.starts.length;
  const voxels = size[0] * size[1] * size[2];
  let done = 0;
  for (const [i, z] of zs.starts.entries()) {
    const places = ys.starts.flatMap((y) => xs.starts.map((x): Extent => [x, y, z]));
    // The results of the last call are added while the next call computes.
    let add = (): void => undefined;
    for (let at = 0; at < places.length; at += batch) {
      const now = places.slice(at, at + batch);
      const windows = now.map((place) => {
        const start = place.map((value, axis) => value - (margin[axis] as number)) as unknown as Extent;
        const image = new Float32Array(channels.length * voxels);
        for (const [c, channel] of channels.entries())
          cutWindow(channel, grid, start, size, image.subarray(c * voxels, (c + 1) * voxels));
        return image;
      });
      for (const network of networks)
        for (const flip of flips) {
          signal?.throwIfAborted();
          const images = flip.length > 0 ? windows.map((image) => mirrored(image, size, flip)) : windows;
          const running = network.predict(images, 'running');
          add();
          const found = await running;
          add = () =>
            now.forEach((place, n) => {
              const part = found.subarray(n * outputs * voxels, (n + 1) * outputs * voxels);
              slab.add(flip.length > 0 ? mirrored(part, size, flip) : part, place);
            });
        }
      done += now.length;
      progress?.(done, total);
    }
    add();
    slab.give(zs.starts[i + 1] ?? Math.max(grid[2], size[2]), passes);
  }
}

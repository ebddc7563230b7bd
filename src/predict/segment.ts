// Segments a scan: its axes laid and its channels preprocessed as in training, windows of the training size through one or
// several networks, and the probabilities brought back to the grid of the scan, plane by plane. Without Node.js, on any engine.

import { orient, orientExtent, orientingOf, storedSteps } from '../data/orientation.js';
import {
  type Extent,
  type IntensityRange,
  prepareChannel,
  resampledSize,
  volumeSize,
} from '../data/preprocess.js';
import { type Engine, type Network } from '../engine/engine.js';
import { type Axis, type Model, type ModelDescription } from '../model/model.js';
import { labelPainter, needsWords, writeOutput } from './labels.js';
import { mirrored, mirrorings } from './mirror.js';
import { type PlaneSink, resamplePlanes } from './planes.js';
import { type Windows, slabOf } from './slab.js';
import { axisWindows, cutWindow } from './windows.js';

/** A scan as it is stored. */
export interface Scan {
  /** Voxels along x, y, z. */
  readonly size: Extent;
  /** mm between voxels. */
  readonly spacing: Extent;
  /** Where the axes point, such as `LPS`; see `axisCodes`. */
  readonly orientation: string;
  /** Each (z, y, x). They are taken out of the list and changed, so that memory is free as soon as it can be. */
  readonly channels: (Float32Array | Float64Array)[];
}

export interface SegmentOptions {
  /** Whether probabilities are wanted too. */
  readonly probabilities?: boolean | undefined;
  /** Whether a mask for each output is wanted instead of a label map. */
  readonly separate?: boolean | undefined;
  /** Called after each batch of windows. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What was found, in the order in which the scan is stored. */
export interface Segmentation {
  /** Label values, (z, y, x); absent if masks were wanted. */
  readonly labels?: Uint8Array | Uint16Array;
  /** For each output 1 where it is, (z, y, x). */
  readonly masks?: readonly Uint8Array[];
  /** In 255ths, (outputs, z, y, x). */
  readonly probabilities?: Uint8Array;
  /** Voxels of each output: painted ones of a label map, all of a mask. */
  readonly voxels: readonly number[];
  /** By channel, as normalisation found it. */
  readonly intensity: readonly IntensityRange[];
}

/** Networks that are averaged, loaded into an engine. Calls must not overlap. */
export interface Ensemble {
  readonly description: ModelDescription;
  readonly segment: (scan: Scan, options?: SegmentOptions) => Promise<Segmentation>;
  /** Frees what the engine holds. */
  readonly dispose: () => void;
}

/** Voxels of a batch of windows: more of them at once are no faster. */
const BATCH_VOXELS = 2 ** 20;
const MAX_BATCH = 8;

/**
 * Loads models whose outputs, channels and preprocessing agree (see `requireAgreement`). `mirror` are axes along which windows
 * are mirrored too, and the predictions averaged. Throws a UserError of kind `engine` if memory does not suffice.
 */
export async function loadEnsemble(
  engine: Engine,
  models: readonly Model[],
  mirror: readonly Axis[] = [],
): Promise<Ensemble> {
  const description = models[0] as Model;
  const { size } = description.preprocessing;
  const batch = Math.min(MAX_BATCH, Math.max(1, Math.floor(BATCH_VOXELS / (size[0] * size[1] * size[2]))));
  const networks: Network[] = [];
  const dispose = (): void => networks.forEach((network) => network.dispose());
  try {
    for (const { architecture, weights } of models)
      networks.push(
        await engine.load(
          {
            architecture,
            size: volumeSize(size),
            maxBatch: batch,
            // Nothing is trained or evaluated.
            targets: new Uint32Array(256),
            adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
          },
          weights,
        ),
      );
  } catch (error) {
    dispose();
    throw error;
  }
  const flips = mirrorings(mirror);
  return {
    description,
    segment: (scan, options = {}) => segment(scan, description, { networks, batch, flips }, options),
    dispose,
  };
}

interface Loaded {
  readonly networks: readonly Network[];
  readonly batch: number;
  readonly flips: readonly (readonly Axis[])[];
}

async function segment(
  scan: Scan,
  model: ModelDescription,
  loaded: Loaded,
  options: SegmentOptions,
): Promise<Segmentation> {
  const { outputs, preprocessing } = model;
  const orienting = orientingOf(scan.orientation, preprocessing.orientation);
  const size = orientExtent(scan.size, orienting);
  const spacing = orientExtent(scan.spacing, orienting);
  const grid = preprocessing.spacing ? resampledSize(size, spacing, preprocessing.spacing) : size;
  const channels: (Float32Array | Float64Array)[] = [];
  const intensity: IntensityRange[] = [];
  for (let stored = scan.channels.shift(); stored !== undefined; stored = scan.channels.shift()) {
    const turned = orient(stored, scan.size, orienting);
    const { voxels, range } = prepareChannel(turned, size, grid, preprocessing.normalisation);
    channels.push(voxels);
    intensity.push(range);
  }
  const result = collector(scan.size, size, storedSteps(scan.size, orienting), outputs, options);
  await predictPlanes(
    channels,
    grid,
    model,
    loaded,
    resamplePlanes(outputs.length, grid, size, result.take),
    options,
  );
  return { ...result.found, voxels: [...result.counts], intensity };
}

/** What takes the planes of the scan's oriented grid and puts them where the scan has them stored. */
function collector(
  storedSize: Extent,
  size: Extent,
  { first, steps: [stepX, stepY, stepZ] }: ReturnType<typeof storedSteps>,
  outputs: ModelDescription['outputs'],
  { probabilities: wanted, separate }: SegmentOptions,
): { take: PlaneSink; counts: Float64Array; found: Omit<Segmentation, 'voxels' | 'intensity'> } {
  const voxels = storedSize[0] * storedSize[1] * storedSize[2];
  const extent = [size[0], size[1]] as const;
  const area = size[0] * size[1];
  const counts = new Float64Array(outputs.length);
  const labels = separate ? undefined : new (needsWords(outputs) ? Uint16Array : Uint8Array)(voxels);
  const masks = separate ? outputs.map(() => new Uint8Array(voxels)) : undefined;
  const probabilities = wanted ? new Uint8Array(outputs.length * voxels) : undefined;
  const paint = labels && labelPainter(outputs, extent, labels, counts);
  const take: PlaneSink = (z, plane) => {
    const begin = first + z * stepZ;
    paint?.(plane, begin, stepX, stepY);
    for (const [k] of outputs.entries()) {
      const mask = masks?.[k];
      if (mask)
        counts[k] =
          (counts[k] as number) + writeOutput(plane, k * area, extent, mask, [begin, stepX, stepY], 'mask');
      if (probabilities) {
        const part = probabilities.subarray(k * voxels, (k + 1) * voxels);
        writeOutput(plane, k * area, extent, part, [begin, stepX, stepY], 'probability');
      }
    }
  };
  return {
    take,
    counts,
    found: { ...(labels && { labels }), ...(masks && { masks }), ...(probabilities && { probabilities }) },
  };
}

/** Runs all windows of a preprocessed volume and gives its probabilities to `sink`, plane by plane, each when it is complete. */
async function predictPlanes(
  channels: readonly (Float32Array | Float64Array)[],
  grid: Extent,
  { outputs, preprocessing: { size } }: ModelDescription,
  { networks, batch, flips }: Loaded,
  sink: PlaneSink,
  { progress, signal }: SegmentOptions,
): Promise<void> {
  const axes = [0, 1, 2].map((axis) =>
    axisWindows(grid[axis] as number, size[axis] as number),
  ) as unknown as Windows;
  const [xs, ys, zs] = axes;
  // Where a grid is smaller than a window it lies in its middle, as training pads it.
  const margin = size.map((length, axis) => Math.max(0, Math.floor((length - (grid[axis] as number)) / 2)));
  const slab = slabOf(outputs.length, grid, size, margin as unknown as Extent, axes, sink);
  const passes = networks.length * flips.length;
  const total = xs.starts.length * ys.starts.length * zs.starts.length;
  const voxels = size[0] * size[1] * size[2];
  let done = 0;
  for (const [i, z] of zs.starts.entries()) {
    const places = ys.starts.flatMap((y) => xs.starts.map((x): Extent => [x, y, z]));
    // What the last call gave is added while the next one computes.
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
          if (signal?.aborted) throw signal.reason;
          const images = flip.length > 0 ? windows.map((image) => mirrored(image, size, flip)) : windows;
          const running = network.predict(images, 'running');
          add();
          const found = await running;
          add = () =>
            now.forEach((place, n) => {
              const part = found.subarray(n * outputs.length * voxels, (n + 1) * outputs.length * voxels);
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

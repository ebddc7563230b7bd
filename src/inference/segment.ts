// Segments a scan: orients and preprocesses it as in training, runs windows of the training size through one or several networks,
// and brings the probabilities back to the grid of the scan, plane by plane. Without Node.js, on any engine.

import { DEFAULT_INFERENCE, type Inference } from '../config/inference.js';
import { orient, orientExtent, orientingOf, storedSteps } from '../data/orientation.js';
import { prepareChannel } from '../data/channel.js';
import { type IntensityRange, ofChannel } from '../data/normalise.js';
import { type Extent, volumeSize } from '../data/preprocess.js';
import { resamplingOf } from '../data/resample.js';
import { type Engine, type Network } from '../engine/engine.js';
import { UserError } from '../errors.js';
import { type Model, type ModelDescription, type ModelPreprocessing } from '../model/model.js';
import { labelPainter, needsWords, writeOutput } from './labels.js';
import { type PlaneSink, resamplePlanes } from './planes.js';
import { OverflowError } from './slab.js';
import { type SlidingOptions, type Windowing, slideWindows, windowBatch } from './sliding.js';

/** A scan as stored. */
export interface Scan {
  /** Voxels along x, y, z. */
  readonly size: Extent;
  /** mm between voxels. */
  readonly spacing: Extent;
  /** The directions of the axes, such as `LPS`; see `axisCodes`. */
  readonly orientation: string;
  /** Each (z, y, x). Segmentation takes them out of the list and changes them, so that memory becomes free early. */
  readonly channels: (Float32Array | Float64Array)[];
}

export interface SegmentOptions extends SlidingOptions {
  /** Whether probabilities are wanted too. */
  readonly probabilities?: boolean | undefined;
  /** Whether a mask for each output is wanted instead of a label map. */
  readonly separate?: boolean | undefined;
}

/** The segmentation of a scan, with the axes as stored. */
export interface Segmentation {
  /** Label values, (z, y, x); absent if masks were wanted. */
  readonly labels?: Uint8Array | Uint16Array;
  /** For each output 1 where it is, (z, y, x). */
  readonly masks?: readonly Uint8Array[];
  /** 255 times the probability, (outputs, z, y, x). */
  readonly probabilities?: Uint8Array;
  /** The number of voxels of each output, in the label map or in its mask. */
  readonly voxels: readonly number[];
  /** The intensity range of each channel before normalisation. */
  readonly intensity: readonly IntensityRange[];
}

/** Networks loaded into an engine, whose probabilities are averaged. Calls must not overlap. */
export interface Ensemble {
  readonly description: ModelDescription;
  readonly segment: (scan: Scan, options?: SegmentOptions) => Promise<Segmentation>;
  /** Frees the memory of the engine. */
  readonly dispose: () => void;
}

/**
 * Loads models with the same outputs, channels and preprocessing (see `requireAgreement`). Without `inference`, the first model
 * determines overlap and mirroring. Throws a UserError of kind `engine` if there is too little memory.
 */
export async function loadEnsemble(
  engine: Engine,
  models: readonly Model[],
  inference: Inference = models[0]?.inference ?? DEFAULT_INFERENCE,
): Promise<Ensemble> {
  const description = models[0] as Model;
  const { size } = description.preprocessing;
  const batch = windowBatch(size);
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
  const windowing = { ...inference, size, batch };
  return {
    description,
    segment: (scan, options = {}) => segment(networks, windowing, scan, description, options),
    dispose,
  };
}

/**
 * Preprocesses a scan as in training, runs its windows through networks with so many outputs, and brings the mean probabilities back
 * to the grid of the scan, with axes in the order that networks see. Gives them to `sink` plane by plane. Resolves to what
 * normalisation found in each channel. Throws an OverflowError if a network gives no number.
 */
export async function probabilityPlanes(
  networks: readonly Network[],
  windowing: Windowing,
  scan: Scan,
  preprocessing: ModelPreprocessing,
  outputs: number,
  sink: PlaneSink,
  options?: SlidingOptions,
): Promise<IntensityRange[]> {
  const orienting = orientingOf(scan.orientation, preprocessing.orientation);
  const size = orientExtent(scan.size, orienting);
  const spacing = orientExtent(scan.spacing, orienting);
  const resampling = resamplingOf(size, spacing, preprocessing);
  const channels: (Float32Array | Float64Array)[] = [];
  const intensity: IntensityRange[] = [];
  for (let stored = scan.channels.shift(); stored !== undefined; stored = scan.channels.shift()) {
    const turned = orient(stored, scan.size, orienting);
    const how = ofChannel(preprocessing.normalisation, channels.length);
    const { voxels, range } = prepareChannel(turned, resampling, how);
    channels.push(voxels);
    intensity.push(range);
  }
  const back = resamplePlanes(outputs, resampling, sink);
  await slideWindows(networks, outputs, { size: resampling.to, channels }, windowing, back, options);
  return intensity;
}

async function segment(
  networks: readonly Network[],
  windowing: Windowing,
  scan: Scan,
  { outputs, preprocessing }: ModelDescription,
  options: SegmentOptions,
): Promise<Segmentation> {
  const orienting = orientingOf(scan.orientation, preprocessing.orientation);
  const size = orientExtent(scan.size, orienting);
  const result = collector(scan.size, size, storedSteps(scan.size, orienting), outputs, options);
  try {
    const intensity = await probabilityPlanes(
      networks,
      windowing,
      scan,
      preprocessing,
      outputs.length,
      result.take,
      options,
    );
    return { ...result.found, voxels: [...result.counts], intensity };
  } catch (error) {
    if (!(error instanceof OverflowError)) throw error;
    throw new UserError(
      'data',
      'the network overflows on this scan: found voxels far beyond those of its training, expected intensities like those',
      { cause: error },
    );
  }
}

/** Takes the planes of the oriented grid of a scan, and writes them where the scan stores them. */
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

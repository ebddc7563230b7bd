// Cases through a network by windows: with the size that the network sees, mirrored and overlapping as `inference` says.

import { type Experiment } from '../config/schema.js';
import { type Extent, volumeSize } from '../data/preprocess.js';
import { InterruptedError, type Network, type VolumeSize } from '../engine/engine.js';
import { type PlaneSink } from '../inference/planes.js';
import { type Windowing, slideWindows, windowBatch } from '../inference/sliding.js';

/** A preprocessed image (C, D, H, W) with its size. */
export interface SizedImage {
  readonly image: Float32Array;
  readonly size: VolumeSize;
}

interface WindowContext {
  readonly config: Pick<Experiment, 'inference' | 'training'>;
  /** What the network sees, and what it finds. */
  readonly dataset: { readonly size: VolumeSize; readonly outputs: readonly string[] };
  readonly signal?: AbortSignal;
}

/** Whether cases are run by windows. Otherwise each is what the network sees, and the engine evaluates several at once. */
export function byWindows({ config }: Pick<WindowContext, 'config'>): boolean {
  return config.training.patch !== undefined || config.inference.mirror.length > 0;
}

/** How windows of this size are laid in evaluations of so many cases. */
export function windowingOf(
  { inference, training }: WindowContext['config'],
  size: Extent,
  cases: number,
): Windowing {
  return {
    ...inference,
    size,
    // No network is loaded for larger batches than these: see `networkSettings`.
    batch: Math.min(training.batch, training.patch ? Infinity : cases, windowBatch(size)),
  };
}

/**
 * Gives the mean probabilities of a case to `sink`, plane by plane. Throws an InterruptedError when the signal aborts, an
 * OverflowError if the network gives no number.
 */
export async function sweepCase(
  network: Network,
  { image, size: [depth, height, width] }: SizedImage,
  { config, dataset, signal }: WindowContext,
  sink: PlaneSink,
): Promise<void> {
  const voxels = depth * height * width;
  const channels = Array.from({ length: image.length / voxels }, (_, c) =>
    image.subarray(c * voxels, (c + 1) * voxels),
  );
  // The order of axes is reversed either way.
  const windowing = windowingOf(config, volumeSize(dataset.size), 1);
  const grid = { size: volumeSize([depth, height, width]), channels };
  try {
    await slideWindows([network], dataset.outputs.length, grid, windowing, sink, { signal });
  } catch (error) {
    if (signal?.aborted) throw new InterruptedError();
    throw error;
  }
}

// Makes a training sample of a region of a volume.

import { type Sample } from '../engine/engine.js';
import { type NativeAugment, loadNativeAugment } from '../engine/native/augment.js';
import { type Extent } from '../data/preprocess.js';
import { type DrawnAugmentation } from './draw.js';
import { flatten } from './native.js';
import { augmentSlowly } from './oracle.js';
import { type Region } from './region.js';

/** Looked for once, when the first sample is made. */
let native: NativeAugment | false | undefined;

/**
 * The sample of a patch, voxels along x, y, z, that `drawn` makes of a region, which should have the voxels that `sourceRegion`
 * names; what it lacks is 0. On a thread of its own where there is a native engine, whatever engine trains, else slowly on this
 * one: the same bits on every machine.
 */
export async function augment(region: Region, patch: Extent, drawn: DrawnAugmentation): Promise<Sample> {
  native ??= loadNativeAugment() ?? false;
  return native ? augmentNatively(native, region, patch, drawn) : augmentSlowly(region, patch, drawn);
}

/** The same on an instruction set of the native engine. */
export async function augmentNatively(
  compute: NativeAugment,
  region: Region,
  patch: Extent,
  drawn: DrawnAugmentation,
): Promise<Sample> {
  const count = patch[0] * patch[1] * patch[2];
  const sample = { image: new Float32Array(region.channels * count), label: new Uint8Array(count) };
  await compute(flatten(region, patch, drawn), region, sample);
  return sample;
}

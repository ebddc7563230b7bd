// Augmentation as the native engine computes it; src/augmentation/native.ts makes its lists of numbers.

import { type Sample } from '../engine.js';
import { loadAddon } from './loader.js';

/** Lists of numbers as node/addon.cpp reads them. */
export interface FlatAugmentation {
  /** Patch, start and size of the region (x, y, z each), channels, matrix by rows. */
  readonly geometry: Float64Array;
  /** One behind the other: kind, channel, count of numbers, numbers. */
  readonly steps: Float64Array;
}

/** Computes on a thread of its own; rejects if memory is short. `out` is written. */
export type NativeAugment = (flat: FlatAugmentation, region: Sample, out: Sample) => Promise<void>;

/**
 * Augmentation on an instruction set, by default the widest of this machine; undefined where no native engine is built. Throws a
 * TypeError for an instruction set that the machine lacks, when it is called.
 */
export function loadNativeAugment(isa = ''): NativeAugment | undefined {
  const { addon } = loadAddon();
  return (
    addon &&
    (async ({ geometry, steps }, region, out) => {
      await addon.augment(isa, geometry, steps, region.image, region.label, out.image, out.label);
    })
  );
}

// The limits of the compiled engines, and the errors for networks beyond them.

import { UserError } from '../../errors.js';
import { gibibytes } from '../../memory.js';
import { type NetworkSettings } from '../engine.js';
import { flattenShape } from './flat.js';

/** The limits of the C++ code: voxels of a volume (network/flat_shape.cpp), and cases of a batch. */
const MAX_VOXELS = 2e9;
const MAX_BATCH = 1e6;

/**
 * Bytes that a network needs, from `estimate` of the C++ code for a flat shape. For shapes beyond its limits, scaled up from
 * the largest shape within them.
 */
export function estimateMemory(settings: NetworkSettings, estimate: (shape: Int32Array) => number): number {
  const [depth, height, width] = settings.size;
  const multiple = 2 ** (settings.architecture.encoder.length - 1);
  const plane = height * width;
  const most = Math.max(multiple, Math.floor(MAX_VOXELS / plane / multiple) * multiple);
  const size = [Math.min(depth, most), height, width] as const;
  const maxBatch = Math.min(settings.maxBatch, MAX_BATCH);
  const factor = (depth / size[0]) * (settings.maxBatch / maxBatch);
  return factor * estimate(flattenShape({ ...settings, size, maxBatch }));
}

/** Throws for sizes beyond the limits of the C++ code, even if there is enough memory. */
export function requireComputable({ size, maxBatch }: NetworkSettings): void {
  const voxels = size[0] * size[1] * size[2];
  if (voxels > MAX_VOXELS || maxBatch > MAX_BATCH)
    throw new UserError(
      'engine',
      `found volumes of ${[...size].reverse().join(' x ')} voxels in batches of ${maxBatch}, expected at most ` +
        `${MAX_VOXELS} voxels and ${MAX_BATCH} cases: choose a smaller preprocessing.size or training.batch`,
    );
}

/** Throws if a network needs more bytes than are available; `there` states this number in words. */
export function requireMemory(
  needed: number,
  bytes: number,
  { maxBatch }: NetworkSettings,
  there = `${gibibytes(bytes)} are free`,
): void {
  if (needed <= bytes) return;
  const fits = Math.floor((maxBatch * bytes) / needed);
  throw new UserError(
    'engine',
    `training needs about ${gibibytes(needed)} of memory, ${there}: ` +
      (fits >= 1 ? `set training.batch to ${fits} or less` : 'choose a smaller preprocessing.size or model'),
  );
}

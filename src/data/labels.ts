// From label values in files to the indices that samples hold and the outputs they belong to.

import { type Experiment } from '../config/schema.js';
import { type LabelTargets } from '../engine/engine.js';
import { UserError } from '../errors.js';

type Labels = Experiment['dataset']['labels'];

/** The index (1 to 255) of each label value that the config names, in ascending order of values. */
export function labelIndices(labels: Labels): ReadonlyMap<number, number> {
  const values = [...new Set(Object.values(labels).flat())].sort((a, b) => a - b);
  if (values.length > 255)
    throw new UserError('usage', `dataset.labels: found ${values.length} label values, expected at most 255`);
  return new Map(values.map((value, i) => [value, i + 1]));
}

/** For each index, the outputs it belongs to, bit by bit. */
export function labelTargets(labels: Labels, indices: ReadonlyMap<number, number>): LabelTargets {
  const targets = new Uint32Array(256);
  for (const [output, values] of Object.values(labels).entries())
    for (const value of [values].flat()) {
      const index = indices.get(value) as number;
      targets[index] = ((targets[index] as number) | (1 << output)) >>> 0;
    }
  return targets;
}

/**
 * Label values as stored to indices. Values within 1e-3 of an integer are rounded (with a warning); others, and values
 * that the config does not name, throw a UserError with their counts.
 */
export function toIndices(
  voxels: Float32Array | Float64Array | Uint8Array,
  indices: ReadonlyMap<number, number>,
  file: string,
): { label: Uint8Array; rounded: number } {
  const label = new Uint8Array(voxels.length);
  const unknown = new Map<number, number>();
  let rounded = 0;
  for (let i = 0; i < voxels.length; i++) {
    const stored = voxels[i] as number;
    if (stored === 0) continue;
    const value = Math.round(stored);
    if (value !== stored) {
      if (!(Math.abs(value - stored) <= 1e-3)) {
        unknown.set(stored, (unknown.get(stored) ?? 0) + 1);
        continue;
      }
      rounded++;
    }
    const index = value === 0 ? 0 : indices.get(value);
    if (index === undefined) unknown.set(value, (unknown.get(value) ?? 0) + 1);
    else label[i] = index;
  }
  if (unknown.size > 0) {
    const found = [...unknown].sort((a, b) => b[1] - a[1]).slice(0, 5);
    const list = found.map(([value, count]) => `${value} (${count} voxels)`).join(', ');
    throw new UserError(
      'data',
      `${file}: found label values ${list}${unknown.size > 5 ? ', ...' : ''}, ` +
        `expected 0 or one of dataset.labels: ${[...indices.keys()].join(', ')}`,
    );
  }
  return { label, rounded };
}

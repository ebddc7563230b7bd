// Mirrors windows along axes, for networks that were trained with mirroring.

import { type Extent } from '../data/preprocess.js';
import { type Axis } from '../model/model.js';

/** All sets of axes, the empty one first. */
export function mirrorings(axes: readonly Axis[]): Axis[][] {
  return axes.reduce<Axis[][]>((sets, axis) => [...sets, ...sets.map((set) => [...set, axis])], [[]]);
}

/** A window, or several outputs of one, mirrored along axes. */
export function mirrored(values: Float32Array, [w, h, d]: Extent, axes: readonly Axis[]): Float32Array {
  const out = new Float32Array(values.length);
  const [fx, fy, fz] = (['x', 'y', 'z'] as const).map((axis) => axes.includes(axis));
  const voxels = w * h * d;
  for (let base = 0; base < values.length; base += voxels)
    for (let z = 0; z < d; z++)
      for (let y = 0; y < h; y++) {
        const to = base + (z * h + y) * w;
        const from = base + ((fz ? d - 1 - z : z) * h + (fy ? h - 1 - y : y)) * w;
        for (let x = 0; x < w; x++) out[to + x] = values[from + (fx ? w - 1 - x : x)] as number;
      }
  return out;
}

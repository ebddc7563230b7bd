// Counts, plane by plane, how far a prediction and the truth agree, so that no volume of probabilities is kept.

import { type LabelTargets, type Overlap } from '../engine/engine.js';
import { type PlaneSink } from './planes.js';

/** A sink that counts the voxels of each output at p > 0.5 against label indices (z, y, x) on the same grid; voxels of the index
 * `ignored` do not count. */
export function overlapCounter(
  outputs: number,
  label: Uint8Array,
  targets: LabelTargets,
  ignored?: number,
): { readonly take: PlaneSink; readonly overlap: Overlap } {
  const sums = (): Float64Array => new Float64Array(outputs);
  const overlap = { intersection: sums(), predicted: sums(), target: sums() };
  return {
    overlap,
    take(z, plane) {
      const area = plane.length / outputs;
      for (let k = 0; k < outputs; k++) {
        let [both, found, truth] = [0, 0, 0];
        for (let i = 0, at = z * area, from = k * area; i < area; i++, at++, from++) {
          if (label[at] === ignored) continue;
          const p = (plane[from] as number) > 0.5 ? 1 : 0;
          const t = ((targets[label[at] as number] as number) >>> k) & 1;
          both += p & t;
          found += p;
          truth += t;
        }
        overlap.intersection[k] = (overlap.intersection[k] as number) + both;
        overlap.predicted[k] = (overlap.predicted[k] as number) + found;
        overlap.target[k] = (overlap.target[k] as number) + truth;
      }
    },
  };
}

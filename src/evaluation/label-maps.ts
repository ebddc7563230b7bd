// Measures one label map against another, label by label.

import { type Extent } from '../data/preprocess.js';
import { type Box, type IndexMap, boxSize, cropMask, indexBoxes, unionBox } from './grid.js';
import { type Measure } from './names.js';
import { type Counts, type Measures, countOverlap, measure } from './measure.js';

/** A label or a region of several label values. */
export interface Label {
  readonly name: string;
  readonly values: readonly number[];
}

/** The results of one label in one case. */
export interface LabelResult {
  readonly label: Label;
  readonly counts: Counts;
  readonly measures: Measures;
  /** Volumes in ml. */
  readonly referenceVolume: number;
  readonly predictionVolume: number;
}

/** Two label maps on the same grid, as indices: see `indexValues`. */
export interface MapPair {
  readonly reference: IndexMap;
  readonly prediction: IndexMap;
  /** Voxels along x, y, z, and mm between them; x is fastest. */
  readonly size: Extent;
  readonly spacing: Extent;
  /** The index of each label value except 0. */
  readonly indices: ReadonlyMap<number, number>;
}

/** How label maps are compared. */
export interface Comparing {
  /** For the NSD, in mm. */
  readonly tolerance: number;
  /** Voxels whose reference has this value are left out: they are set to background in the prediction. */
  readonly ignore?: number | undefined;
  /** The measures to compute, see `measure`; default: all. */
  readonly wanted?: readonly Measure[] | undefined;
}

/** Measures each label. */
export function compareLabelMaps(
  { reference, prediction, size, spacing, indices }: MapPair,
  labels: readonly Label[],
  { tolerance, ignore, wanted }: Comparing,
): LabelResult[] {
  const ignored = clearIgnored(reference, prediction, ignore === undefined ? undefined : indices.get(ignore));
  const largest = indices.size;
  const boxes = [indexBoxes(reference, size, largest), indexBoxes(prediction, size, largest)];
  const ml = (voxels: number): number => (voxels * spacing[0] * spacing[1] * spacing[2]) / 1000;
  return labels.map((label) => {
    const member = new Uint8Array(largest + 1);
    const present = label.values.flatMap((value) => indices.get(value) ?? []);
    for (const index of present) member[index] = 1;
    const box =
      unionBox(boxes.flatMap((byIndex) => present.map((index): Box | undefined => byIndex[index]))) ??
      NOTHING;
    const pair = {
      reference: cropMask(reference, size, box, member),
      prediction: cropMask(prediction, size, box, member),
      size: boxSize(box),
      spacing,
    };
    const counts = countOverlap(pair, reference.length - ignored);
    return {
      label,
      counts,
      measures: measure(pair, counts, tolerance, wanted),
      referenceVolume: ml(counts.tp + counts.fn),
      predictionVolume: ml(counts.tp + counts.fp),
    };
  });
}

const NOTHING: Box = { from: [0, 0, 0], to: [0, 0, 0] };

/** Sets voxels that the reference ignores to background in the prediction; returns their number. */
function clearIgnored(reference: IndexMap, prediction: IndexMap, ignore: number | undefined): number {
  if (ignore === undefined) return 0;
  let ignored = 0;
  for (let i = 0; i < reference.length; i++)
    if (reference[i] === ignore) {
      prediction[i] = 0;
      ignored++;
    }
  return ignored;
}

/** More label values than any atlas has; a volume with more values is an image. */
const MOST_VALUES = 5000;

/** A volume is not a label map. The message continues after `found`. */
export class NotLabels extends Error {}

/**
 * The voxels of a label map as indices from 1, in the order in which values first occur; adds new values to `indices`. Rounds
 * values within 1e-3 of a whole number, since floating-point and scaled files need this. Throws a `NotLabels` error.
 */
export function indexValues(voxels: ArrayLike<number>, indices: Map<number, number>): Uint16Array {
  const map = new Uint16Array(voxels.length);
  // Neighbours usually have the same value, so the last index is tried first.
  let [last, lastIndex] = [0, 0];
  for (let i = 0; i < voxels.length; i++) {
    const stored = voxels[i] as number;
    if (stored !== last) {
      last = stored;
      const value = Math.round(stored);
      if (!(Math.abs(value - stored) <= 1e-3)) throw new NotLabels(`a label value of ${stored}`);
      let index = value === 0 ? 0 : indices.get(value);
      if (index === undefined) {
        index = indices.size + 1;
        if (index > MOST_VALUES) throw new NotLabels(`more than ${MOST_VALUES} label values`);
        indices.set(value, index);
      }
      lastIndex = index;
    }
    map[i] = lastIndex;
  }
  return map;
}

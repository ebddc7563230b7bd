// Measures the outputs of a network against the labels that it is trained for.

import { type Extent } from '../data/preprocess.js';
import { type Comparing, compareLabelMaps } from './label-maps.js';
import { type Measures } from './measure.js';

/** The prediction of a network for a case, and the true label. Plain data, since it is sent between threads. */
export interface Predicted {
  readonly id: string;
  /** Of each output, (outputs, D, H, W). */
  readonly probabilities: Float32Array;
  /** Label indices, (D, H, W). */
  readonly label: Uint8Array;
  /** Bit k of `targets[index]` says whether a label index belongs to output k. */
  readonly targets: Uint32Array;
  /** The label index of voxels that are left out. */
  readonly ignored?: number | undefined;
  /** Voxels along x, y, z, and mm between them; x is fastest. */
  readonly size: Extent;
  readonly spacing: Extent;
}

/** The measures of each output of a case. */
export interface MeasuredCase {
  readonly id: string;
  readonly outputs: readonly Measures[];
}

/** The value of ignored voxels beside 0 and 1. */
const IGNORED = 2;

/** Measures each output at p > 0.5. */
export function measureOutputs(
  { probabilities, label, targets, ignored, size, spacing }: Predicted,
  how: Comparing,
): Measures[] {
  const voxels = label.length;
  return Array.from({ length: probabilities.length / voxels }, (_, k) => {
    const output = probabilities.subarray(k * voxels, (k + 1) * voxels);
    const pair = {
      reference: label.map((index) => (index === ignored ? IGNORED : ((targets[index] as number) >>> k) & 1)),
      prediction: Uint8Array.from(output, (p) => (p > 0.5 ? 1 : 0)),
      size,
      spacing,
      indices: new Map([
        [1, 1],
        [IGNORED, IGNORED],
      ]),
    };
    const [result] = compareLabelMaps(pair, [{ name: String(k), values: [1] }], { ...how, ignore: IGNORED });
    return (result as NonNullable<typeof result>).measures;
  });
}

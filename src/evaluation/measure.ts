// The measures of one mask against another. docs/evaluate.md has the definitions.

import { type Extent } from '../data/preprocess.js';
import { percentileOf } from '../data/percentile.js';
import { boundaryOf, indicesOf } from './boundary.js';
import { nearestDistances } from './distance.js';
import { MEASURES, type Measure } from './names.js';
import { cornerCodes, cornerGrid, elementAreas, elementsOf } from './surface.js';

/** Numbers of voxels of one case and label. */
export interface Counts {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number;
}

/**
 * How well two masks agree. If both are empty, all measures are NaN. If one is empty, overlaps and NSD are 0 and distances
 * are infinite.
 */
export interface Measures {
  readonly dice: number;
  readonly iou: number;
  /** The larger of the two directed 95th percentiles of distances between boundaries, mm. */
  readonly hd95: number;
  /** The mean of all distances between boundaries, in both directions, mm. */
  readonly assd: number;
  /** The fraction of both surfaces that is within the tolerance of the other surface. */
  readonly nsd: number;
}

/** Two masks (0, 1) on the same grid, cropped to a box around both. */
export interface Pair {
  readonly reference: Uint8Array;
  readonly prediction: Uint8Array;
  /** Voxels along x, y, z, and mm between them; x is fastest. */
  readonly size: Extent;
  readonly spacing: Extent;
}

/** Counts the voxels that two masks share or do not share. `all` is the number of voxels of the whole grid, before cropping. */
export function countOverlap({ reference, prediction }: Pair, all: number): Counts {
  let [tp, fp, fn] = [0, 0, 0];
  for (let i = 0; i < reference.length; i++) {
    const [a, b] = [reference[i] as number, prediction[i] as number];
    tp += a & b;
    fp += ~a & b;
    fn += a & ~b;
  }
  return { tp, fp, fn, tn: all - tp - fp - fn };
}

/**
 * The measures of a pair of masks with known overlap; `tolerance` is in mm. Measures of two masks with voxels that are not `wanted`
 * and take time, those of distances, are NaN.
 */
export function measure(
  pair: Pair,
  { tp, fp, fn }: Counts,
  tolerance: number,
  wanted: readonly Measure[] = MEASURES,
): Measures {
  const [n, m] = [tp + fn, tp + fp];
  if (n === 0 && m === 0) return { dice: NaN, iou: NaN, hd95: NaN, assd: NaN, nsd: NaN };
  if (n === 0 || m === 0) return { dice: 0, iou: 0, hd95: Infinity, assd: Infinity, nsd: 0 };
  return {
    dice: (2 * tp) / (n + m),
    iou: tp / (tp + fp + fn),
    ...(wanted.includes('hd95') || wanted.includes('assd')
      ? boundaryDistances(pair)
      : { hd95: NaN, assd: NaN }),
    nsd: wanted.includes('nsd') ? surfaceDice(pair, tolerance) : NaN,
  };
}

function boundaryDistances({ reference, prediction, size, spacing }: Pair): { hd95: number; assd: number } {
  const a = boundaryOf(reference, size);
  const b = boundaryOf(prediction, size);
  const there = nearestDistances(b, indicesOf(a), size, spacing);
  const back = nearestDistances(a, indicesOf(b), size, spacing);
  const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
  return {
    hd95: Math.max(percentileOf(there.sort(), 95), percentileOf(back.sort(), 95)),
    assd: (sum(there) + sum(back)) / (there.length + back.length),
  };
}

/** Spacings in files are float32 numbers. A distance that exceeds the tolerance only by their rounding is within it. */
const ROUNDING = 1 + 1e-6;

function surfaceDice({ reference, prediction, size, spacing }: Pair, tolerance: number): number {
  const grid = cornerGrid(size);
  const areas = elementAreas(spacing);
  const codes = [cornerCodes(reference, size), cornerCodes(prediction, size)] as const;
  const elements = [elementsOf(codes[0]), elementsOf(codes[1])] as const;
  let [within, all] = [0, 0];
  for (const [from, to] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const at = indicesOf(elements[from]);
    const distances = nearestDistances(elements[to], at, grid, spacing);
    for (let i = 0; i < at.length; i++) {
      const area = areas[codes[from][at[i] as number] as number] as number;
      all += area;
      if ((distances[i] as number) <= tolerance * ROUNDING) within += area;
    }
  }
  return within / all;
}

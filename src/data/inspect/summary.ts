// Summaries of facts about cases: what is usual, and how far cases differ.

import { percentileOf } from '../percentile.js';
import { type Extent } from '../preprocess.js';
import { type CaseFacts } from './case-facts.js';

/** Each axis by itself. */
export interface ExtentSummary {
  readonly min: Extent;
  readonly median: Extent;
  readonly max: Extent;
}

/** Smallest, median and largest extent along each axis; there must be at least one extent. */
export function summariseExtents(extents: readonly Extent[]): ExtentSummary {
  return { min: extentAt(extents, 0), median: extentAt(extents, 50), max: extentAt(extents, 100) };
}

/** A percentile of each axis by itself, interpolated between ranks. */
export function extentAt(extents: readonly Extent[], percent: number): Extent {
  return [0, 1, 2].map((axis) =>
    percentileOf(Float64Array.from(extents, (extent) => extent[axis] as number).sort(), percent),
  ) as unknown as Extent;
}

/** How often each value occurs, the most frequent first. */
export function countEach(values: readonly string[]): (readonly [value: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}

/** A label value over all cases. */
export interface LabelSummary {
  readonly value: number;
  readonly name: string | undefined;
  /** Cases that have it. */
  readonly cases: number;
  readonly voxels: number;
  /** Of the cases that have it: the volume of one case. */
  readonly ml: { readonly min: number; readonly median: number; readonly max: number };
}

/** Every label value that a case or dataset.json has, without 0, in ascending order. */
export function summariseLabels(
  cases: readonly CaseFacts[],
  names: ReadonlyMap<number, string> | undefined,
): LabelSummary[] {
  const found = new Map<number, { voxels: number; ml: number[] }>();
  for (const value of names?.keys() ?? []) if (value !== 0) found.set(value, { voxels: 0, ml: [] });
  for (const { labels, voxelMl } of cases)
    for (const [value, voxels] of labels) {
      if (value === 0) continue;
      const known = found.get(value) ?? { voxels: 0, ml: [] };
      found.set(value, { voxels: known.voxels + voxels, ml: [...known.ml, voxels * voxelMl] });
    }
  return [...found]
    .sort(([a], [b]) => a - b)
    .map(([value, { voxels, ml }]) => {
      const sorted = ml.sort((a, b) => a - b);
      const at = (percent: number): number => (ml.length > 0 ? percentileOf(sorted, percent) : 0);
      return {
        value,
        name: names?.get(value),
        cases: ml.length,
        voxels,
        ml: { min: at(0), median: at(50), max: at(100) },
      };
    });
}

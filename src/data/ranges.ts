// Ranges of the training cases before preprocessing, to recognise scans that differ from all of them.

import { type Range, type TrainingRanges } from '../model/model.js';
import { type CaseFacts } from './case.js';
import { type Extent } from './preprocess.js';

/** The ranges of sizes, spacings and intensities of the cases with these ids. */
export function trainingRanges(ids: readonly string[], cases: readonly CaseFacts[]): TrainingRanges {
  const known = new Map(cases.map((prepared) => [prepared.id, prepared]));
  const train = ids.map((id) => known.get(id) as CaseFacts);
  const channels = train[0]?.channels ?? 0;
  return {
    cases: train.length,
    size: extents(train.map(({ size }) => size)),
    spacing: extents(train.map(({ spacing }) => spacing)),
    intensity: Array.from({ length: channels }, (_, channel) => ({
      min: Math.min(...train.map(({ intensity }) => intensity[channel]?.min ?? 0)),
      max: Math.max(...train.map(({ intensity }) => intensity[channel]?.max ?? 0)),
    })),
    orientations: [...new Set(train.map(({ orientation }) => orientation))].sort(),
  };
}

function extents(all: readonly Extent[]): Range<Extent> {
  const along = (pick: (...values: number[]) => number): Extent => [
    pick(...all.map(([x]) => x)),
    pick(...all.map(([, y]) => y)),
    pick(...all.map(([, , z]) => z)),
  ];
  return { min: along(Math.min), max: along(Math.max) };
}

// Statistics over cases: for each label, and over labels.

import { mean, median } from 'simple-statistics';
import { type LabelResult } from './label-maps.js';
import { MEASURES, type Measure } from './names.js';

/** Statistics of one measure over the cases with a finite value; NaN if there is no such case. */
export interface Figure {
  readonly mean: number;
  readonly median: number;
}

export interface LabelSummary {
  readonly figures: Readonly<Record<Measure, Figure>>;
  /** Number of cases whose reference or prediction has the label. */
  readonly cases: number;
  /** Number of cases where only one of them has it: Dice and NSD are 0, and distances are infinite, so means leave them out. */
  readonly misses: number;
}

/** The statistics of one label. */
export function summariseLabel(results: readonly Pick<LabelResult, 'measures'>[]): LabelSummary {
  const finite = (measure: Measure): number[] =>
    results.map(({ measures }) => measures[measure]).filter(Number.isFinite);
  return {
    figures: byMeasure((measure) => {
      const values = finite(measure);
      return values.length === 0
        ? { mean: NaN, median: NaN }
        : { mean: mean(values), median: median(values) };
    }),
    cases: results.filter(({ measures }) => !Number.isNaN(measures.dice)).length,
    misses: results.filter(({ measures }) => measures.hd95 === Infinity).length,
  };
}

/** Means over the labels that have a value; misses are added up. */
export function meanOverLabels(labels: readonly LabelSummary[]): LabelSummary {
  const over = (values: readonly number[]): number => {
    const known = values.filter((value) => !Number.isNaN(value));
    return known.length === 0 ? NaN : mean(known);
  };
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    figures: byMeasure((measure) => ({
      mean: over(labels.map(({ figures }) => figures[measure].mean)),
      median: over(labels.map(({ figures }) => figures[measure].median)),
    })),
    cases: sum(labels.map(({ cases }) => cases)),
    misses: sum(labels.map(({ misses }) => misses)),
  };
}

function byMeasure<T>(of: (measure: Measure) => T): Record<Measure, T> {
  return Object.fromEntries(MEASURES.map((measure) => [measure, of(measure)])) as Record<Measure, T>;
}

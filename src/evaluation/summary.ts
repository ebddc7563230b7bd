// Figures over cases: of each label, and over labels.

import { mean, median } from 'simple-statistics';
import { type LabelResult } from './label-maps.js';
import { MEASURES, type Measure } from './names.js';

/** Of one measure over the cases in which it is a finite number; NaN where there is no such case. */
export interface Figure {
  readonly mean: number;
  readonly median: number;
}

export interface LabelSummary {
  readonly figures: Readonly<Record<Measure, Figure>>;
  /** Cases of which the reference or the prediction has the label. */
  readonly cases: number;
  /** Cases of which only one has it: Dice and NSD are 0 there, and distances infinite, so that no mean can count them. */
  readonly misses: number;
}

/** Sums up the results of one label. */
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

/** Means over labels, of the labels that have a value; misses are added up. */
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

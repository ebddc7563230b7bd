// The measures that an experiment asks for besides Dice, which every run has.

import { MEASURES, type Measure } from '../evaluation/names.js';
import { type Experiment } from './schema.js';

export type FurtherMetric = Exclude<Measure, 'dice'>;

/** In the order in which they are shown, however they were listed. */
export function furtherMetrics({ metrics }: Pick<Experiment, 'metrics'>): FurtherMetric[] {
  return MEASURES.filter(
    (measure): measure is FurtherMetric => measure !== 'dice' && metrics.includes(measure),
  );
}

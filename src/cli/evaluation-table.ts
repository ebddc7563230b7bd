// The table of an evaluation, and what its numbers mean.

import { type Evaluation } from '../evaluation/cases.js';
import { type LabelResult } from '../evaluation/label-maps.js';
import { MEASURES, type Measure, formatMeasure, measureTitle } from '../evaluation/names.js';
import { type LabelSummary, meanOverLabels, summariseLabel } from '../evaluation/summary.js';
import { type Column, formatTable } from './terminal/table.js';

/** One row a label, then their mean: of one case its values, of several `mean (median)`. */
export function evaluationTable({ labels, cases }: Evaluation, tolerance: number): string {
  const several = cases.length > 1;
  const summaries = labels.map((_, i) =>
    summariseLabel(cases.map(({ results }) => results[i] as LabelResult)),
  );
  const volume = (i: number, of: 'referenceVolume' | 'predictionVolume'): string =>
    ml(cases.reduce((sum, { results }) => sum + (results[i] as LabelResult)[of], 0) / cases.length);
  const rows = labels.map(({ name }, i) => [
    name,
    ...cells(summaries[i] as LabelSummary, several),
    volume(i, 'referenceVolume'),
    volume(i, 'predictionVolume'),
  ]);
  if (labels.length > 1) rows.push(['mean', ...cells(meanOverLabels(summaries), several), '', '']);
  const right = (title: string): Column => ({ title, align: 'right' });
  return formatTable(
    [
      { title: 'Label' },
      ...(several ? [right('Cases')] : []),
      right('Misses'),
      ...MEASURES.map((measure) => right(measureTitle(measure, tolerance))),
      right('Reference, ml'),
      right('Prediction, ml'),
    ],
    rows,
  );
}

function cells({ figures, cases, misses }: LabelSummary, several: boolean): string[] {
  const cell = (measure: Measure): string => {
    const { mean, median } = figures[measure];
    if (Number.isNaN(mean)) return '-';
    const [first, second] = [mean, median].map((value) => formatMeasure(measure, value));
    return several ? `${first} (${second})` : (first as string);
  };
  return [...(several ? [String(cases)] : []), String(misses), ...MEASURES.map(cell)];
}

const ml = (value: number): string => Number(value.toPrecision(4)).toString();

/** What the table's numbers mean. */
export function describeEvaluation({ cases }: Evaluation, tolerance: number): string {
  const lines = [
    ...(cases.length > 1
      ? ['Mean (median) over the cases where the reference or the prediction has the label.']
      : []),
    'Misses: only one of both has it; Dice, IoU and NSD are 0 there, and no mean counts their infinite distances.',
    'HD95: the larger of both 95th percentiles of distances between boundaries (voxels with one of six neighbours outside);',
    'ASSD: the mean of all of them;',
    `NSD: the share of both surfaces (by area) within ${tolerance} mm of the other. Exact definitions: docs/evaluate.md`,
  ];
  return lines.join('\n');
}

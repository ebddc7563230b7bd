// The files that an evaluation writes: cases.csv with a row for each case and label, and summary.json in the layout of nnU-Net.

import { type Row, csvText, distanceCell } from '../runs/csv.js';
import { type Evaluation } from './cases.js';
import { type Label, type LabelResult } from './label-maps.js';
import { type Measure } from './names.js';
import { pythonJson } from './python-json.js';
import { type LabelSummary, summariseLabel } from './summary.js';

/** Columns of cases.csv. Volumes are in ml, distances in mm. */
const COLUMNS = [
  'case',
  'label',
  'dice',
  'iou',
  'hd95_mm',
  'assd_mm',
  'nsd',
  'nsd_tolerance_mm',
  'reference_ml',
  'prediction_ml',
] as const;

/** The text of cases.csv. Undefined values are empty, and infinite distances are `inf`. */
export function evaluationCsv({ cases }: Evaluation, tolerance: number): string {
  const rows = cases.flatMap(({ id, results }) =>
    results.map(({ label, measures, referenceVolume, predictionVolume }): Row => ({
      case: id,
      label: label.name,
      dice: measures.dice,
      iou: measures.iou,
      hd95_mm: distanceCell(measures.hd95),
      assd_mm: distanceCell(measures.assd),
      nsd: measures.nsd,
      nsd_tolerance_mm: tolerance,
      reference_ml: referenceVolume,
      prediction_ml: predictionVolume,
    })),
  );
  return csvText(COLUMNS, rows);
}

/** The name of each measure in nnU-Net, and similar names for measures that it does not have. */
const NAMES: Readonly<Record<Measure, string>> = {
  dice: 'Dice',
  iou: 'IoU',
  hd95: 'HD95',
  assd: 'ASSD',
  nsd: 'NSD',
};

/**
 * The text of summary.json, as nnU-Net writes it and the json module of Python reads it: NaN if both masks are empty, Infinity
 * for the distance to an empty mask. Means are over the cases with a finite value. The measures of nnU-Net have no finite value
 * only if both masks are empty, and nnU-Net also leaves such cases out.
 */
export function nnunetSummary({ labels, cases }: Evaluation, tolerance: number): string {
  const means = labels.map((_, i) => {
    const results = cases.map((found) => found.results[i] as LabelResult);
    return meansOf(results, summariseLabel(results));
  });
  const keys = Object.keys(means[0] ?? {});
  return pythonJson({
    foreground_mean: Object.fromEntries(
      keys.map((key) => [key, means.reduce((sum, of) => sum + (of[key] as number), 0) / means.length]),
    ),
    mean: Object.fromEntries(labels.map((label, i) => [keyOf(label), means[i]])),
    metric_per_case: cases.map(({ reference, prediction, results }) => ({
      metrics: Object.fromEntries(results.map((result) => [keyOf(result.label), metricsOf(result)])),
      prediction_file: prediction,
      reference_file: reference,
    })),
    nsd_tolerance_mm: tolerance,
    label_names: Object.fromEntries(labels.map((label) => [keyOf(label), label.name])),
  });
}

/** A label in the form of nnU-Net: `1`, or `(1, 2)` for a region. */
function keyOf({ values }: Label): string {
  return values.length === 1 ? String(values[0]) : `(${values.join(', ')})`;
}

/** The counts of nnU-Net for a case. */
function countsOf({ counts: { tp, fp, fn, tn } }: LabelResult): Record<string, number> {
  return { TP: tp, FP: fp, FN: fn, TN: tn, n_pred: tp + fp, n_ref: tp + fn };
}

function metricsOf(result: LabelResult): Record<string, number> {
  const measures = Object.entries(NAMES).map(([measure, name]) => [
    name,
    result.measures[measure as Measure],
  ]);
  return { ...(Object.fromEntries(measures) as Record<string, number>), ...countsOf(result) };
}

function meansOf(results: readonly LabelResult[], { figures, misses }: LabelSummary): Record<string, number> {
  const measures = Object.entries(NAMES).map(([measure, name]) => [name, figures[measure as Measure].mean]);
  const counts = results.map(countsOf);
  const mean = (key: string): number =>
    counts.reduce((sum, of) => sum + (of[key] as number), 0) / counts.length;
  return {
    ...(Object.fromEntries(measures) as Record<string, number>),
    ...Object.fromEntries(Object.keys(counts[0] ?? {}).map((key) => [key, mean(key)])),
    misses,
  };
}

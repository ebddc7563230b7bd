// The columns and rows that runs record: the one definition for writing and reading.

import { type FurtherMetric } from '../config/metrics.js';
import { MEASURE_COLUMNS } from '../evaluation/names.js';
import { type Row } from './csv.js';
import { type RunKind } from './folders.js';

/** A label in the name of a column: with _ for everything except letters and digits. */
const labelWord = (label: string): string => label.replace(/[^\p{L}\p{N}]+/gu, '_');

/** Columns of Dice on test or validation cases: the mean over labels, and one per label if there are several. */
export function diceColumns(part: 'test' | 'validation', labels: readonly string[]): string[] {
  return [
    `${part}_dice`,
    ...(labels.length > 1 ? labels.map((label) => `${part}_dice_${labelWord(label)}`) : []),
  ];
}

/** epochs.csv of a training run: one row per epoch; Dice is empty if it was not evaluated. */
export function epochColumns(labels: readonly string[], validation: boolean): string[] {
  return [
    'epoch',
    'train_loss',
    ...diceColumns('test', labels),
    ...(validation ? diceColumns('validation', labels) : []),
    'seconds',
  ];
}

/**
 * cases.csv: Dice of each test case on the grid that networks see, Dice on the grid of its files if that was measured, and further
 * metrics: the mean over labels, then by label.
 */
export function caseColumns(
  labels: readonly string[],
  { original, metrics }: { readonly original: boolean; readonly metrics: readonly FurtherMetric[] },
): string[] {
  const measures = [
    MEASURE_COLUMNS.dice,
    ...(original ? [ORIGINAL_DICE_COLUMN] : []),
    ...metrics.map((metric) => MEASURE_COLUMNS[metric]),
  ];
  return [
    'case',
    ...measures.flatMap((column) => [column, ...labels.map((label) => `${column}_${labelWord(label)}`)]),
  ];
}

/** Dice on the grids of the files. */
const ORIGINAL_DICE_COLUMN = 'dice_original';

/**
 * steps.csv of a pruning run: one row per step, before its removal. `stop` in the last row is the reason for the end:
 * one-channel or collapse. After these, one column per layer with its width.
 */
export function stepColumns(
  labels: readonly string[],
  validation: boolean,
  layers: readonly { readonly name: string }[],
): string[] {
  return [
    'step',
    'epochs',
    'channels',
    'fraction',
    'parameters',
    'multiply_adds',
    'train_loss',
    ...diceColumns('test', labels),
    ...(validation ? diceColumns('validation', labels) : []),
    'removed_layer',
    'removed_channel',
    'removed_score',
    'stop',
    'seconds',
    ...layers.map(({ name }) => name),
  ];
}

/** scores.csv of a pruning run: the score of every channel at the snapshots; `chosen` marks the channel removed next. */
export const SCORE_COLUMNS = ['step', 'channels', 'fraction', 'layer', 'channel', 'score', 'chosen'] as const;

/** dropout.csv of a pruning run: the rate with which each layer was trained before the removal of a step. */
export const DROPOUT_COLUMNS = ['step', 'layer', 'channels', 'rate'] as const;

/**
 * summary.csv of an experiment: one row per method and label. After these, `dice_validated_median` and `dice_validated_mad` of
 * training runs with validation cases, `dice_original_median` and `dice_original_mad` where that was measured, and for each further metric `METRIC_median` and `METRIC_mad`, and `misses_median`: see `summaryMetricColumns`.
 */
const SUMMARY_COLUMNS = [
  'kind',
  'method',
  'label',
  'parameters',
  'channels',
  'multiply_adds',
  'seeds',
  'dice_median',
  'dice_mad',
  'upper_bound',
  'fraction_median',
  'fraction_mad',
  'seconds_median',
] as const;

/** The columns of summary.csv with these rows. */
export function summaryColumns(rows: readonly SummaryRow[]): string[] {
  return [...new Set([...SUMMARY_COLUMNS, ...rows.flatMap(Object.keys)])];
}

/** The columns of a further metric in summary.csv. */
export function summaryMetricColumns(metric: FurtherMetric): {
  readonly median: string;
  readonly mad: string;
} {
  const column = MEASURE_COLUMNS[metric];
  return { median: `${column}_median`, mad: `${column}_mad` };
}

/**
 * A row of summary.csv: the results of a method over its seeds, for one label or the mean over labels. With further metrics it
 * has further columns.
 */
export type SummaryRow = Row & {
  readonly kind: RunKind;
  readonly method: string;
  readonly label: string;
  readonly parameters: number;
  readonly channels: number;
  readonly multiply_adds: number;
  readonly seeds: number;
  readonly dice_median: number;
  readonly dice_mad: number;
  /** At the epoch with the largest validation Dice. */
  readonly dice_validated_median?: number;
  readonly dice_validated_mad?: number;
  /** On the grids of the files. */
  readonly dice_original_median?: number;
  readonly dice_original_mad?: number;
  readonly upper_bound: boolean;
  /** For a point of pruning runs: the fraction of channels left. */
  readonly fraction_median?: number;
  readonly fraction_mad?: number;
  readonly seconds_median: number;
  /** Over seeds, of test cases in which only the truth or only the prediction has the label. */
  readonly misses_median?: number;
};

/** A row of epochs.csv. With several labels it has further columns, see `diceColumns`. */
export type EpochRow = Row & {
  readonly epoch: number;
  readonly train_loss: number;
  /** Absent if the epoch was not evaluated. */
  readonly test_dice?: number | undefined;
  readonly validation_dice?: number | undefined;
  readonly seconds: number;
};

/** A row of steps.csv. It has further columns: Dice by label, and for each layer a column of its name with its width. */
export type StepRow = Row & {
  readonly step: number;
  readonly epochs: number;
  readonly channels: number;
  readonly fraction: number;
  readonly parameters: number;
  readonly multiply_adds: number;
  readonly train_loss: number;
  readonly test_dice?: number | undefined;
  readonly validation_dice?: number | undefined;
  readonly removed_layer?: string | undefined;
  readonly removed_channel?: number | undefined;
  readonly removed_score?: number | undefined;
  readonly stop?: string | undefined;
  readonly seconds: number;
};

/** A row of scores.csv. */
export type ScoreRow = {
  readonly step: number;
  readonly channels: number;
  readonly fraction: number;
  readonly layer: string;
  readonly channel: number;
  readonly score: number;
  readonly chosen: boolean;
};

/** A row of dropout.csv. */
export type DropoutRow = {
  readonly step: number;
  readonly layer: string;
  readonly channels: number;
  readonly rate: number;
};

/** A row of cases.csv. With several labels it has further columns. */
export type CaseRow = Row & { readonly case: string; readonly dice: number };

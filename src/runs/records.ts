// What runs record, and under which column names: the one list for those who write and those who read.

import { type Row } from './csv.js';

/** The name of a label in a column: dice_LABEL, with everything but letters and digits as _. */
function labelColumn(part: 'test' | 'validation', label: string): string {
  return `${part}_dice_${label.replace(/[^\p{L}\p{N}]+/gu, '_')}`;
}

/** Columns of Dice on a part of the split: the mean over labels, and one a label when there are several. */
export function diceColumns(part: 'test' | 'validation', labels: readonly string[]): string[] {
  return [`${part}_dice`, ...(labels.length > 1 ? labels.map((label) => labelColumn(part, label)) : [])];
}

/** epochs.csv of a training run: one row an epoch; Dice is empty where it was not evaluated. */
export function epochColumns(labels: readonly string[], validation: boolean): string[] {
  return [
    'epoch',
    'train_loss',
    ...diceColumns('test', labels),
    ...(validation ? diceColumns('validation', labels) : []),
    'seconds',
  ];
}

/** cases.csv: test Dice of each case. */
export function caseColumns(labels: readonly string[]): string[] {
  return ['case', 'dice', ...labels.map((label) => labelColumn('test', label).replace('test_', ''))];
}

/**
 * steps.csv of a pruning run: one row a step, before its removal; `stop` says why the last one is the last:
 * one-channel or collapse. Behind these, one column a layer with its width.
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

/** scores.csv of a pruning run: every channel's score at the snapshots; `chosen` is the one that goes next. */
export const SCORE_COLUMNS = ['step', 'channels', 'fraction', 'layer', 'channel', 'score', 'chosen'] as const;

/** dropout.csv of a pruning run: the rate with which each layer was trained before a step's removal. */
export const DROPOUT_COLUMNS = ['step', 'layer', 'channels', 'rate'] as const;

/** summary.csv of an experiment: one row a method and label. */
export const SUMMARY_COLUMNS = [
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

export type SummaryRow = Row & Readonly<Record<'kind' | 'method' | 'label', string>>;

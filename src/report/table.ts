// What a table is, and the cells that several tables have.

import { type RunKind } from '../runs/folders.js';

export interface Table {
  readonly title: string;
  readonly columns: readonly { readonly title: string; readonly align?: 'left' | 'right' }[];
  readonly rows: readonly (readonly string[])[];
  /** Notes below the table. */
  readonly notes: readonly string[];
}

/** The kinds of runs as tables call them. */
export const KIND_NAMES: Readonly<Record<RunKind, string>> = {
  train: 'trained',
  prune: 'pruned',
  retrain: 'retrained',
};

/** Median and MAD in a cell: `0.9012 ± 0.0034`. */
export const plusMinus = (median: number, mad: number): string => `${median.toFixed(4)} ± ${mad.toFixed(4)}`;

/** A number with commas between thousands; empty if undefined. */
export const grouped = (value: number | undefined): string => value?.toLocaleString('en') ?? '';

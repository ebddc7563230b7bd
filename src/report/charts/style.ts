// Shared by all charts: the type of a chart, and the style of axes and text.

import { type RunKind } from '../../runs/folders.js';
import { type Results } from '../results.js';
import { inPaperOrder } from '../order.js';
import { type Look, type Looks, isDrawn, shownName } from './looks.js';

/** A vega-lite specification. */
export type ChartSpec = Record<string, unknown>;

/** A chart: its file name, its title, and its specification for the results of one split. */
export interface Chart {
  readonly name: string;
  readonly title: string;
  /** Set for a chart that shows the config and no runs: it is the same for all splits. */
  readonly ofConfig?: true;
  readonly spec: (results: Results, looks: Looks) => ChartSpec | undefined;
}

export const CONFIG = {
  background: 'white',
  font: 'DejaVu Sans, Verdana, sans-serif',
  axis: {
    labelLimit: 0,
    labelFlush: false,
    labelFontSize: 12,
    titleFontSize: 13,
    gridColor: '#e5e5e5',
    titleFontWeight: 'normal',
  },
  legend: { labelFontSize: 12, titleFontSize: 12, labelLimit: 0, titleLimit: 0, titleFontWeight: 'normal' },
  title: { limit: 0 },
  view: { stroke: null },
};

export const DICE_AXIS = {
  type: 'quantitative',
  title: 'Test Dice',
  scale: { zero: false, padding: 8 },
} as const;

/** A look as fields of a datum, which COLOUR, DASH and MARKER draw. */
export function lookOf({ colour, dash, marker }: Look): {
  colour: string;
  dash: readonly number[];
  marker: string;
} {
  return { colour, dash, marker };
}

const literal = (field: string): object => ({ field, type: 'nominal', scale: null, legend: null });
export const COLOUR = literal('colour');
export const DASH = literal('dash');
export const MARKER = literal('marker');

/** The range of values, widened to `least` if it is narrower. */
export function rangeOf(values: readonly number[], least: number): [low: number, high: number] {
  const [low, high] = values.reduce(
    ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
    [Infinity, -Infinity],
  );
  const missing = Math.max(0, least - (high - low)) / 2;
  return [low - missing, high + missing];
}

/** Rows by method, methods in the order of the paper. */
export function byMethod<T extends { readonly kind: RunKind; readonly method: string }>(
  { config }: Results,
  rows: readonly T[],
): { kind: RunKind; method: string; name: string; rows: T[] }[] {
  const groups = new Map<string, { kind: RunKind; method: string; name: string; rows: T[] }>();
  for (const row of rows) {
    const { kind, method } = row;
    const key = `${kind}\n${method}`;
    const group = groups.get(key) ?? { kind, method, name: shownName(kind, method), rows: [] };
    groups.set(key, group);
    group.rows.push(row);
  }
  return inPaperOrder(config, [...groups.values()]);
}

/** The row of the summary that charts show for a method: with several labels, that of their mean. */
export interface Headline {
  readonly kind: RunKind;
  readonly method: string;
  readonly name: string;
  readonly parameters: number;
  /** Median over seeds; `low` and `high` are the median minus and plus the MAD. */
  readonly dice: number;
  readonly low: number;
  readonly high: number;
  /** Whether it is an upper bound. */
  readonly bound: boolean;
}

/** The headline of every method that figures show. */
export function headlines({ summary }: Results): Headline[] {
  const several = new Set(summary.map(({ label }) => label)).size > 1;
  return summary
    .filter(({ kind, method, label }) => (!several || label === 'mean') && isDrawn(kind, method))
    .map(({ kind, method, parameters, dice_median: dice, dice_mad: mad, upper_bound: bound }) => ({
      kind,
      method,
      name: shownName(kind, method),
      parameters,
      dice,
      low: dice - mad,
      high: dice + mad,
      bound,
    }));
}

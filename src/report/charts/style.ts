// What all charts share: one colour, dash and shape a method, wherever it appears, told apart in grey too.

import { type RunKind } from '../../runs/folders.js';
import { type Results } from '../results.js';

/** A vega-lite specification; undefined where there is nothing to show. */
export type ChartSpec = Record<string, unknown>;

/** A chart: its file name, its title, and its specification for these results. */
export interface Chart {
  readonly name: string;
  readonly title: string;
  readonly spec: (results: Results) => ChartSpec | undefined;
}

// Okabe and Ito's palette without its yellow, which is too light for lines.
const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00', '#000000', '#7F7F7F'];
const DASHES = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 2, 2, 2],
  [4, 4],
  [10, 3],
  [1, 3],
  [3, 1],
];
const SHAPES = [
  'circle',
  'square',
  'triangle-up',
  'diamond',
  'cross',
  'triangle-down',
  'triangle-right',
  'triangle-left',
];

/** Names of methods in a fixed order: the config's models, strategies, then the rest. */
function methodOrder({ records }: Results): string[] {
  return [...new Set(records.map(({ kind, method }) => familyOf(kind, method)))];
}

/** A method's family, which sets its colour: a model, or a strategy whether pruned or retrained. */
export function familyOf(kind: string, method: string): string {
  return kind === 'train' ? method : (method.split(/[/ ]/)[0] as string);
}

/** The colour, dash and shape of each family. */
export function scales(results: Results): {
  color: object;
  strokeDash: object;
  shape: object;
} {
  const domain = methodOrder(results);
  const pick = <T>(values: readonly T[]): T[] => domain.map((_, i) => values[i % values.length] as T);
  return {
    color: { field: 'family', type: 'nominal', title: 'Method', scale: { domain, range: pick(COLOURS) } },
    strokeDash: { field: 'family', type: 'nominal', title: 'Method', scale: { domain, range: pick(DASHES) } },
    shape: { field: 'family', type: 'nominal', title: 'Method', scale: { domain, range: pick(SHAPES) } },
  };
}

/** Facets side by side where there are several splits. */
export function bySplit(results: Results, spec: ChartSpec, values: readonly object[]): ChartSpec {
  const splits = new Set(results.records.map(({ split }) => split));
  const data = { values };
  if (splits.size < 2) return { data, ...spec };
  return { data, facet: { column: { field: 'split', title: 'Split' } }, spec };
}

export const CONFIG = {
  background: 'white',
  font: 'DejaVu Sans',
  axis: {
    labelLimit: 320,
    labelFontSize: 12,
    titleFontSize: 13,
    gridColor: '#e5e5e5',
    titleFontWeight: 'normal',
  },
  legend: {
    labelFontSize: 12,
    titleFontSize: 12,
    symbolSize: 120,
    labelLimit: 260,
    symbolOpacity: 1,
    titleFontWeight: 'normal',
  },
  header: { labelFontSize: 13, titleFontSize: 13 },
  view: { stroke: null },
};

export const DICE_AXIS = { type: 'quantitative', title: 'Test Dice', scale: { zero: false } } as const;

/** On lines: nothing to see, but something that has a value to show when it is pointed at. */
export const HOVER_POINT = { opacity: 0, size: 50 } as const;

/** What the summary says of a method, as charts show it: the mean over labels where there are several. */
export interface Headline {
  readonly split: string;
  readonly kind: RunKind;
  readonly method: string;
  readonly family: string;
  readonly parameters: number;
  /** Median over seeds, and that less and more the MAD. */
  readonly dice: number;
  readonly low: number;
  readonly high: number;
  /** Whether it is an upper bound. */
  readonly bound: boolean;
}

/**
 * The headline of every method, but for the last networks of pruning runs: one channel a layer, mostly in ruins, their Dice
 * would press all others into one line.
 */
export function headlines({ summary }: Results): Headline[] {
  const means = summary.some(({ label }) => label === 'mean');
  return summary
    .filter(
      ({ kind, method, label }) =>
        (!means || label === 'mean') && !(kind === 'prune' && method.endsWith(' final')),
    )
    .map((row) => {
      const [dice, mad] = [Number(row['dice_median']), Number(row['dice_mad'])];
      return {
        split: row.split,
        kind: row.kind as RunKind,
        method: row.method,
        family: familyOf(row.kind, row.method),
        parameters: Number(row['parameters']),
        dice,
        low: dice - mad,
        high: dice + mad,
        bound: row['upper_bound'] === true,
      };
    });
}

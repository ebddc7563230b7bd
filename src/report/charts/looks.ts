// The look of each method: a colour, a dash and a marker, the same in every figure of a report. Looks can also be
// distinguished in grey and by colour-blind readers.

import { inPaperOrder, runOf } from '../order.js';
import { type Results } from '../results.js';

export interface Look {
  readonly colour: string;
  /** Lengths of dashes and gaps of the line. */
  readonly dash: readonly number[];
  /** A Vega shape: a name or an SVG path. */
  readonly marker: string;
}

/** The look of a method: a model, a pruning run or one of its points, a retrained network. */
export type Looks = (kind: string, method: string) => Look;

// The palette of Okabe and Ito without yellow, which is too light for lines.
const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000'];
const DASHES = [
  [1, 0],
  [8, 4],
  [2, 3],
  [11, 3, 2, 3],
  [4, 2],
  [11, 3, 2, 3, 2, 3],
  [18, 5],
];
const STAR =
  'M0,-1.1L0.26,-0.36L1.05,-0.34L0.42,0.14L0.65,0.89L0,0.45L-0.65,0.89L-0.42,0.14L-1.05,-0.34L-0.26,-0.36Z';
const MARKERS = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down', STAR];
const SEVEN = COLOURS.length;

/**
 * The look in a row of the column of one colour. The first seven rows form orthogonal Latin squares: two looks have at most
 * one of colour, dash and marker in common. Later rows are only guaranteed to differ in one of the three.
 */
export function lookAt(column: number, row: number): Look {
  const at = <T>(values: readonly T[], i: number): T => values[i % SEVEN] as T;
  return {
    colour: at(COLOURS, column),
    dash: at(DASHES, column + row),
    marker: at(MARKERS, column + 2 * row + Math.floor(row / SEVEN)),
  };
}

/**
 * The looks of all methods of a report. All networks from one pruning run have the same colour, as long as that colour has
 * looks left; the best network of a run has the look of the run.
 */
export function assignLooks({
  config,
  records,
  summary,
}: Pick<Results, 'config' | 'records' | 'summary'>): Looks {
  const shown = new Map(
    [...records, ...summary]
      .filter(({ kind, method }) => isDrawn(kind, method))
      .map(({ kind, method }) => [keyOf(kind, method), { kind, method }]),
  );
  const used = COLOURS.map(() => 0);
  const homes = new Map<string, number>();
  const looks = new Map<string, Look>();
  for (const { kind, method } of inPaperOrder(config, [...shown.values()])) {
    const family = kind === 'train' ? `train\n${method}` : runOf(kind, method)[0];
    const emptiest = used.indexOf(Math.min(...used));
    const home = homes.get(family) ?? emptiest;
    homes.set(family, home);
    // A colour starts its next square of looks only after all other colours have filled the current one.
    const square = Math.floor((used[emptiest] as number) / SEVEN);
    const column = (used[home] as number) < SEVEN * (square + 1) ? home : emptiest;
    const row = used[column] as number;
    used[column] = row + 1;
    looks.set(keyOf(kind, method), lookAt(column, row));
  }
  return (kind, method) => looks.get(keyOf(kind, method)) as Look;
}

const keyOf = (kind: string, method: string): string =>
  `${kind}\n${kind === 'prune' ? method.replace(/ best$/, '') : method}`;

/**
 * Whether figures show a method. They leave out the final networks of pruning runs, which have one channel per layer: their
 * Dice is usually so low that all other methods would look the same.
 */
export function isDrawn(kind: string, method: string): boolean {
  return !(kind === 'prune' && method.endsWith(' final'));
}

/** The name of a method in figures, including its kind. */
export function shownName(kind: string, method: string): string {
  const prefix: Record<string, string> = { prune: 'pruned: ', retrain: 'retrained: ' };
  return `${prefix[kind] ?? ''}${method}`;
}

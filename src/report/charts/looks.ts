// One colour, dash and marker a method, the same in every figure of a report, told apart in grey and by the colour-blind.

import { inPaperOrder, runOf } from '../order.js';
import { type Results } from '../results.js';

export interface Look {
  readonly colour: string;
  /** Lengths of a line's dashes and gaps. */
  readonly dash: readonly number[];
  /** A name or an SVG path, as Vega has its shapes. */
  readonly marker: string;
}

/** How a method is drawn: a model, a pruning run or one of its points, a retrained network. */
export type Looks = (kind: string, method: string) => Look;

// Okabe and Ito's palette without its yellow, which is too light for lines.
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
 * The look in a column of one colour. The first seven rows are Latin squares that go with each other: of two looks no
 * more than one of colour, dash and marker is the same. Later rows only differ from each other in one of the three.
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
 * The looks of all that a report shows. What comes from one pruning run has one colour, as long as that has looks left;
 * the best network of a run looks like the run.
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
    // No colour goes into its next square of looks before all others have filled theirs.
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
 * Whether figures show a method. They leave out the last networks of pruning runs: one channel a layer, mostly in ruins,
 * their Dice would press all others into one line.
 */
export function isDrawn(kind: string, method: string): boolean {
  return !(kind === 'prune' && method.endsWith(' final'));
}

/** A method's name in figures, where its kind is not written beside it. */
export function shownName(kind: string, method: string): string {
  const prefix: Record<string, string> = { prune: 'pruned: ', retrain: 'retrained: ' };
  return `${prefix[kind] ?? ''}${method}`;
}

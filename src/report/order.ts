// The order of methods in every table and figure, the paper's: dense Unets from full width down, pruned networks,
// retrained ones, then the flat networks from wide to narrow.

import { modelName } from '../config/models.js';
import { type Experiment, INITS, STRATEGIES } from '../config/schema.js';

const POINTS = ['best', 'chosen on validation'];

/** Sorts rows of methods into the paper's order; rows of one method keep theirs. */
export function inPaperOrder<T extends { readonly kind: string; readonly method: string }>(
  { models }: Experiment,
  rows: readonly T[],
): T[] {
  const rank = ({ kind, method }: T): (number | string)[] => {
    if (kind === 'train') {
      const model = models.find((each) => modelName(each) === method);
      const size = model === undefined || model.family === 'explicit' ? 0 : -model.n * model.scale;
      return [model?.family === 'lunet' ? 3 : 0, size];
    }
    const [run, point = ''] = splitMethod(kind, method);
    const percent = /^(\d+(?:\.\d+)?)%/.exec(point)?.[1];
    return [
      kind === 'prune' ? 1 : 2,
      strategyOf(run),
      run,
      POINTS.includes(point) ? POINTS.indexOf(point) : percent === undefined ? 1000 : 200 - Number(percent),
      INITS.findIndex((init) => point.endsWith(init)),
    ];
  };
  return rows
    .map((row) => ({ row, key: rank(row) }))
    .sort((a, b) => {
      const at = a.key.findIndex((value, i) => value !== b.key[i]);
      return at < 0 ? 0 : (a.key[at] as number) < (b.key[at] as number) ? -1 : 1;
    })
    .map(({ row }) => row);
}

/** The strategy's place in STRATEGY, STRATEGY-CRITERION, STRATEGY@MODEL: of the longest name that it begins with. */
function strategyOf(run: string): number {
  const names = STRATEGIES.filter((name) => new RegExp(`^${name}(?:[-@]|$)`).test(run));
  return STRATEGIES.indexOf(names.sort((a, b) => b.length - a.length)[0] as (typeof names)[number]);
}

/** A pruned or retrained network's name as its run and its point: `widest 50%`, `widest/50%-random`. */
function splitMethod(kind: string, method: string): [string, string?] {
  const at = method.indexOf(kind === 'prune' ? ' ' : '/');
  return at < 0 ? [method] : [method.slice(0, at), method.slice(at + 1)];
}

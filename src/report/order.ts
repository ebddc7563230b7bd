// The order of methods in every table and figure, as in the paper: dense Unets from wide to narrow, pruned networks,
// retrained networks, then the flat networks from wide to narrow.

import { modelName } from '../config/models.js';
import { type Experiment, INITS } from '../config/schema.js';
import { STRATEGIES } from '../pruning/strategies/index.js';

const POINTS = ['best', 'chosen on validation'];

/** Sorts rows of methods into the order of the paper; rows of one method keep their order. */
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
    const [run, point = ''] = runOf(kind, method);
    const percent = /^(\d+(?:\.\d+)?)%/.exec(point)?.[1];
    const channels = /^(\d+)-channels/.exec(point)?.[1];
    return [
      kind === 'prune' ? 1 : 2,
      strategyOf(run),
      run,
      POINTS.includes(point)
        ? POINTS.indexOf(point)
        : percent !== undefined
          ? 200 - Number(percent)
          : channels !== undefined
            ? 1e6 - Number(channels)
            : 1e6,
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

/** The index of the strategy in STRATEGY, STRATEGY-CRITERION or STRATEGY@MODEL: that of the longest matching name. */
function strategyOf(run: string): number {
  const names = STRATEGIES.filter((name) => new RegExp(`^${name}(?:[-@]|$)`).test(run));
  return STRATEGIES.indexOf(names.sort((a, b) => b.length - a.length)[0] as (typeof names)[number]);
}

/**
 * Splits the name of a pruned or retrained network into pruning run and point: `widest 50%`, `widest/50%-random`. The name
 * of a run may contain that of a model, but names of models have no slash and do not end like a point.
 */
export function runOf(kind: string, method: string): [run: string, point?: string] {
  const pattern = kind === 'prune' ? / (best|chosen on validation|\d[\d.]*%|final)$/ : /\/(.*)$/;
  const found = pattern.exec(method);
  return found === null ? [method] : [method.slice(0, found.index), found[1] as string];
}

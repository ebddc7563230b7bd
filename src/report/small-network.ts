// The network that the report offers as a page for browsers: the best one that is small enough to be sent around.

import { UserError } from '../errors.js';
import { type Model } from '../model/model.js';
import { modelsOfMethod } from '../predict/method.js';
import { crossValidatedRow } from './cross-validation.js';
import { type Results } from './results.js';

/** The page of such a network has about 300 kB. */
export const MOST_PARAMETERS = 30_000;

export interface SmallNetwork {
  readonly method: string;
  readonly model: Model;
}

/**
 * The model of the first seed, and fold, of the method with the largest median Dice, cross-validated if there are folds, among the unbiased ones of at most MOST_PARAMETERS:
 * trained or retrained networks and snapshots of pruning. Not its best seed, which would be chosen by the test cases. undefined
 * if there is none whose model file is there and undamaged.
 */
export function bestSmallNetwork({ config, summary, crossValidation }: Results): SmallNetwork | undefined {
  const headline = new Set(summary.map(({ label }) => label)).size > 1 ? 'mean' : summary[0]?.label;
  const pooled = crossValidation && crossValidation.rows.length > 0 ? crossValidation : undefined;
  const diceOf = (row: Results['summary'][number]): number =>
    pooled ? (crossValidatedRow(pooled, row)?.dice_median ?? 0) : row.dice_median;
  const [best] = summary
    .filter(
      ({ kind, method, label, upper_bound, parameters }) =>
        label === headline &&
        !upper_bound &&
        parameters <= MOST_PARAMETERS &&
        (kind !== 'prune' || method.endsWith('%')),
    )
    .sort((a, b) => diceOf(b) - diceOf(a));
  if (best === undefined) return undefined;
  try {
    const [first] = modelsOfMethod(config, best.method, { split: best.split }).sort(
      (a, b) => a.model.run.seed - b.model.run.seed,
    );
    return first && { method: best.method, model: first.model };
  } catch (error) {
    // `lunet predict` and `lunet export` say what is wrong with a model; the report needs none.
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

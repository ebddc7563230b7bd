// Dice from overlaps.

import { type Overlap } from '../engine/engine.js';

/** Dice per label of one case at p > 0.5; 1 if both prediction and truth are empty. */
export function caseDice({ intersection, predicted, target }: Overlap): number[] {
  return Array.from(intersection, (both, k) => {
    const total = (predicted[k] as number) + (target[k] as number);
    return total === 0 ? 1 : (2 * both) / total;
  });
}

/** Mean Dice over several cases: first the mean over labels (the headline), then by label. */
export function meanDice(cases: readonly (readonly number[])[]): number[] {
  const labels = cases[0]?.length ?? 0;
  const byLabel = Array.from(
    { length: labels },
    (_, k) => cases.reduce((sum, dice) => sum + (dice[k] as number), 0) / cases.length,
  );
  return [byLabel.reduce((sum, dice) => sum + dice, 0) / labels, ...byLabel];
}

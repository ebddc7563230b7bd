// The source of every random number of a run: a stream for the seed of the run and the purpose of the number.

import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of random numbers. */
export interface RandomStream {
  /** A float64 in [0, 1). */
  uniform(): number;
  /** An integer in [0, below); `below` is at least 1. */
  integer(below: number): number;
  /** A float64 from the standard normal distribution (Box-Muller). */
  normal(): number;
}

/**
 * The stream for a seed and a key, such as `stream(7, 'dropout', epoch, batch)`. Equal arguments give the same numbers,
 * different ones independent numbers. Keys that count epochs and batches make it simple to resume: there is no generator
 * state to store.
 */
export function stream(seed: number, ...key: readonly (string | number)[]): RandomStream {
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, ...key]))
    .digest();
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => digest.readInt32LE(at)));
  const uniform = (): number => uniformFloat64(generator);
  return {
    uniform,
    integer: (below) => uniformInt(generator, 0, below - 1),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** The items in a random order (Fisher-Yates); does not change the input. */
export function shuffled<T>(items: readonly T[], random: RandomStream): T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j] as T, order[i] as T];
  }
  return order;
}

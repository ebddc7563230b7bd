// Every strategy by its name, in the order of the docs: the config, help and reference take the names from here.

import { randomInBlock } from './random-in-block.js';
import { random } from './random.js';
import { stamp } from './stamp.js';
import { type Strategy } from './strategy.js';
import { widest } from './widest.js';

export const strategies = {
  stamp,
  'random-in-block': randomInBlock,
  widest,
  random,
} satisfies Readonly<Record<string, Strategy>>;

export type StrategyName = keyof typeof strategies;

/** The names of all strategies. */
export const STRATEGIES = Object.keys(strategies) as StrategyName[];

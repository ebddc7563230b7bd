// Every strategy by its name; the names themselves stand in the config's schema.

import { type Strategy as StrategyName } from '../../config/schema.js';
import { randomInBlock } from './random-in-block.js';
import { random } from './random.js';
import { stamp } from './stamp.js';
import { type Strategy } from './strategy.js';
import { widest } from './widest.js';

export const strategies: Readonly<Record<StrategyName, Strategy>> = {
  stamp,
  'random-in-block': randomInBlock,
  widest,
  random,
};

// STAMP: the channel with the lowest normalised score goes.

import { type Strategy, lowestScore } from './strategy.js';

export const stamp: Strategy = {
  scores: true,
  choose: (architecture, _, scores) => lowestScore(architecture, scores),
};

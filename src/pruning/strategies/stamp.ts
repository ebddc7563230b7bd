// STAMP: removes the channel with the lowest normalised score.

import { type Strategy, lowestScore } from './strategy.js';

export const stamp: Strategy = {
  scores: true,
  choose: (architecture, _, scores) => lowestScore(architecture, scores),
};

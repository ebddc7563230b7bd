// A random channel of the layer that STAMP would choose: the paper tests with it whether the choice of channel matters.

import { listLayers } from '../../network/architecture.js';
import { type Strategy, lowestScore } from './strategy.js';

export const randomInBlock: Strategy = {
  scores: true,
  choose: (architecture, random, scores) => {
    const lowest = lowestScore(architecture, scores);
    if (lowest === undefined) return undefined;
    const { layer } = lowest;
    const channel = random.integer(layer.width);
    const index = listLayers(architecture).findIndex(({ name }) => name === layer.name);
    return { layer, channel, score: (scores[index] as Float64Array)[channel] as number };
  },
};

// A random removable channel, all with the same probability.

import { type Strategy, removable } from './strategy.js';

export const random: Strategy = {
  scores: false,
  choose: (architecture, stream) => {
    const layers = removable(architecture);
    if (layers.length === 0) return undefined;
    let at = stream.integer(layers.reduce((sum, { width }) => sum + width, 0));
    for (const layer of layers) {
      if (at < layer.width) return { layer, channel: at };
      at -= layer.width;
    }
    return undefined;
  },
};

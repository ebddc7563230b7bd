// SNIP (Lee et al. 2019): |gradient x weight|, here summed over the filter of a channel. The gradient is that of the loss,
// summed over the batches of the training set.

import { type Criterion, filtersOf, sumOverFilters } from './criterion.js';

export const snip: Criterion = {
  needs: 'gradients',
  score: (layer, weights, gradients) => {
    const [w, g] = [filtersOf(layer, weights), filtersOf(layer, gradients)];
    return sumOverFilters(layer, (i) => Math.abs((w[i] as number) * (g[i] as number)));
  },
};

// Li et al. 2017: the L1 norm of the filter of a channel.

import { type Criterion, filtersOf, sumOverFilters } from './criterion.js';

export const weightL1: Criterion = {
  needs: 'weights',
  score: (layer, weights) => {
    const filters = filtersOf(layer, weights);
    return sumOverFilters(layer, (i) => Math.abs(filters[i] as number));
  },
};

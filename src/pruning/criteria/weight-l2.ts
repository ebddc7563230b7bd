// The L2 norm of the filter of a channel.

import { type Criterion, filtersOf, sumOverFilters } from './criterion.js';

export const weightL2: Criterion = {
  needs: 'weights',
  score: (layer, weights) => {
    const filters = filtersOf(layer, weights);
    return sumOverFilters(layer, (i) => (filters[i] as number) ** 2).map(Math.sqrt);
  },
};

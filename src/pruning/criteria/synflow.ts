// SynFlow (Tanaka et al. 2020): the flow through the filter of a channel in the network of absolute weights, |weight| times
// the gradient of the sum of all outputs for an image of ones. Uses no data.

import { type Criterion, filtersOf, sumOverFilters } from './criterion.js';

export const synflow: Criterion = {
  needs: 'synflow',
  score: (layer, weights, gradients) => {
    const [w, g] = [filtersOf(layer, weights), filtersOf(layer, gradients)];
    return sumOverFilters(layer, (i) => Math.abs((w[i] as number) * (g[i] as number)));
  },
};

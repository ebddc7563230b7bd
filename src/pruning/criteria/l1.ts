// STAMP: the sum over space of the absolute post-ReLU activation, averaged over the batch, summed over batches.

import { type Criterion, meanOverCases } from './criterion.js';

export const l1: Criterion = {
  needs: 'activations',
  withGradients: false,
  fold: ({ sum }, cases) => meanOverCases(sum, cases, (value) => value),
};

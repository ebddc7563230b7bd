// STAMP and the Lean Unet paper: the L2 norm over space of the post-ReLU activation, averaged over the batch, summed
// over batches.

import { type Criterion, meanOverCases } from './criterion.js';

export const l2: Criterion = {
  needs: 'activations',
  withGradients: false,
  fold: ({ sumOfSquares }, cases) => meanOverCases(sumOfSquares, cases, Math.sqrt),
};

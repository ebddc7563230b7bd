// STAMP, after Molchanov et al. 2017: the absolute value of activation times its gradient, averaged over batch and
// space and summed over batches. Where batch norm follows, the sum over a batch nearly cancels (batch norm does not care
// about the activation's scale); what is left comes from dropout's part in it and from the epsilon, as in the reference.

import { type Criterion, meanOverCases } from './criterion.js';

export const taylor: Criterion = {
  needs: 'activations',
  withGradients: true,
  fold: ({ gradientProduct }, cases, voxels) =>
    meanOverCases(gradientProduct as Float64Array, cases, (value) => value).map(
      (value, channel) => value / (voxels[channel] as number),
    ),
  finish: Math.abs,
};

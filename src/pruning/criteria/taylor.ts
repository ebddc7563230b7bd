// STAMP, after Molchanov et al. 2017: the absolute value of activation times its gradient, averaged over batch and
// space and summed over batches. Batch norm with the batch's own statistics does not care about the activation's scale, so
// when scoring is `training` a channel's sum nearly cancels and what is left is rounding; with running statistics, as in
// the reference, it does not.

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

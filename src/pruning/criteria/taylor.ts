// STAMP, after Molchanov et al. 2017: the absolute value of activation times its gradient, averaged over batch and
// space and summed over batches. With the statistics of the batch, batch norm does not depend on the scale of an activation,
// so in `training` mode the sum of a channel nearly cancels and only rounding errors are left. With running statistics, as
// in STAMP's code, it does not cancel.

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

// STAMP: the (unbiased) standard deviation over the batch of the L1 norm over space, summed over batches. A last batch of a
// single case has no deviation and adds nothing.

import { type Criterion, meanOverCases } from './criterion.js';

export const l1Std: Criterion = {
  needs: 'activations',
  withGradients: false,
  fold: ({ sum }, cases) => {
    const channels = sum.length / cases;
    if (cases < 2) return new Float64Array(channels);
    const means = meanOverCases(sum, cases, (value) => value);
    const squares = new Float64Array(channels);
    for (const [i, value] of sum.entries())
      squares[i % channels] =
        (squares[i % channels] as number) + (value - (means[i % channels] as number)) ** 2;
    return squares.map((square) => Math.sqrt(square / (cases - 1)));
  },
};

// Random scores: the control that every other criterion should beat.

import { type Criterion } from './criterion.js';

export const random: Criterion = {
  needs: 'nothing',
  score: (layer, stream) => Float64Array.from({ length: layer.width }, () => stream.uniform()),
};

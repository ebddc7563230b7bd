// Network slimming (Liu et al. 2017): the absolute scale of batch norm.

import { tensorOf } from '../../network/weights.js';
import { type Criterion } from './criterion.js';

export const bnScale: Criterion = {
  needs: 'weights',
  score: (layer, weights) => Float64Array.from(tensorOf(weights, `${layer.name}.norm.weight`).data, Math.abs),
};

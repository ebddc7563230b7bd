// The operations of the network that some backends can fuse. Here they are composed of operations that every TensorFlow.js
// backend has; tensorflow/fused.ts has the fused ones.

import type * as tf from '@tensorflow/tfjs-core';
import { core } from './core.js';

/** The statistics of batch norm in training mode, and what its gradient needs from the forward pass. Tensors are (C). */
export interface Statistics {
  readonly mean: tf.Tensor;
  /** The unbiased variance, as in PyTorch's running variance. */
  readonly variance: tf.Tensor;
  readonly saved: readonly tf.Tensor[];
}

type Normalised = Statistics & { readonly y: tf.Tensor5D };

/** Volumes are (N, D, H, W, C). */
export interface Operations {
  readonly addBias: (x: tf.Tensor5D, bias: tf.Tensor) => tf.Tensor5D;
  /** The gradient of the bias: sums by channel. */
  readonly biasGradient: (dy: tf.Tensor5D) => tf.Tensor;
  /** The gradient through a ReLU whose output is given. */
  readonly reluGradient: (dy: tf.Tensor5D, y: tf.Tensor5D) => tf.Tensor5D;
  /** Channel dropout: x times a multiplier for each case and channel, (N, 1, C). */
  readonly applyMask: (x: tf.Tensor5D, mask: tf.Tensor) => tf.Tensor5D;
  /** The gradient through a 2x2x2 maximum `y` of `x`: if several values are the maximum, it goes to the first. */
  readonly poolGradient: (dy: tf.Tensor5D, x: tf.Tensor5D, y: tf.Tensor5D) => tf.Tensor5D;
  readonly normalise: (x: tf.Tensor5D, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number) => Normalised;
  readonly normaliseGradient: (
    dy: tf.Tensor5D,
    x: tf.Tensor5D,
    gamma: tf.Tensor,
    saved: readonly tf.Tensor[],
    epsilon: number,
  ) => { dx: tf.Tensor5D; dGamma: tf.Tensor; dBeta: tf.Tensor };
}

/** core.tidy for results of other types: keeps the tensors inside the result and frees all others. */
export function scoped<T extends object>(compute: () => T): T {
  return core.tidy(compute as unknown as () => tf.TensorContainer) as unknown as T;
}

const voxels = (x: tf.Tensor5D): number => x.size / x.shape[4];

/** The kernel of TensorFlow.js; it depends on the backend whether several maxima share the gradient. */
export function maxPoolGradient(dy: tf.Tensor5D, input: tf.Tensor5D, output: tf.Tensor5D): tf.Tensor5D {
  return core
    .engine()
    .runKernel(
      core.MaxPool3DGrad,
      { dy, input, output },
      { filterSize: [2, 2, 2], strides: [2, 2, 2], pad: 'valid' },
    );
}

/** (N, D, H, W, C) as (voxels, C): with fewer axes, every backend has fast operations per channel. */
const flat = (x: tf.Tensor5D): tf.Tensor2D => core.reshape(x, [-1, x.shape[4]]);
const unflat = (x: tf.Tensor, shape: tf.Tensor5D['shape']): tf.Tensor5D => core.reshape(x, shape);

/** x * scale + shift by channel. */
export function scaleShift(x: tf.Tensor5D, scale: tf.Tensor, shift: tf.Tensor): tf.Tensor5D {
  return unflat(core.add(core.mul(flat(x), scale), shift), x.shape);
}

export const composed: Operations = {
  addBias: (x, bias) => unflat(core.add(flat(x), bias), x.shape),
  biasGradient: (dy) => core.sum(flat(dy), 0),
  reluGradient: (dy, y) => core.mul(dy, core.step(y)),
  applyMask(x, mask) {
    const [cases, , , , channels] = x.shape;
    return unflat(core.mul(core.reshape(x, [cases, -1, channels]), mask), x.shape);
  },
  poolGradient: (dy, x, y) => maxPoolGradient(dy, x, y),
  normalise(x, gamma, beta, epsilon) {
    const { mean, variance } = core.moments(flat(x), 0);
    const inverse = core.rsqrt(core.add(variance, epsilon));
    const scale = core.mul(inverse, gamma);
    const y = scaleShift(x, scale, core.sub(beta, core.mul(mean, scale)));
    const count = voxels(x);
    const unbiased = core.mul(variance, count > 1 ? count / (count - 1) : 1);
    return { y, mean, variance: unbiased, saved: [mean, inverse] };
  },
  normaliseGradient(dy, x, gamma, saved) {
    const [mean, inverse] = saved as [tf.Tensor, tf.Tensor];
    const g = flat(dy);
    const xhat = core.mul(core.sub(flat(x), mean), inverse);
    const dBeta = core.sum(g, 0);
    const dGamma = core.sum(core.mul(g, xhat), 0);
    const count = voxels(x);
    const centred = core.sub(core.sub(g, core.div(dBeta, count)), core.mul(xhat, core.div(dGamma, count)));
    return { dx: unflat(core.mul(centred, core.mul(gamma, inverse)), x.shape), dGamma, dBeta };
  },
};

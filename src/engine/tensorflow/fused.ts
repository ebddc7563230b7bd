// Fused operations of TensorFlow: one call each, through the binding. TensorFlow.js itself has only the unfused ones.

import type * as tf from '@tensorflow/tfjs-core';
import { core } from '../tfjs/core.js';
import { type Operations, maxPoolGradient } from '../tfjs/operations.js';

interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** The members of the @tensorflow/tfjs-node-gpu backend that are used here. */
interface NodeBackend {
  readonly binding: Readonly<
    Record<'TF_FLOAT' | 'TF_ATTR_TYPE' | 'TF_ATTR_FLOAT' | 'TF_ATTR_BOOL' | 'TF_ATTR_STRING', number>
  >;
  readonly executeMultipleOutputs: (
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly tf.Tensor[],
    outputs: number,
  ) => tf.Tensor[];
}

function execute(
  name: string,
  more: (backend: NodeBackend) => readonly Attribute[],
  inputs: readonly tf.Tensor[],
  outputs = 1,
): tf.Tensor[] {
  const backend = core.backend() as unknown as NodeBackend;
  const { binding } = backend;
  const type = { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
  return backend.executeMultipleOutputs(name, [type, ...more(backend)], inputs, outputs);
}

const none = (): Attribute[] => [];
const normAttributes =
  (epsilon: number) =>
  ({ binding }: NodeBackend): Attribute[] => [
    { name: 'U', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: epsilon },
    { name: 'data_format', type: binding.TF_ATTR_STRING, value: 'NDHWC' },
    { name: 'is_training', type: binding.TF_ATTR_BOOL, value: true },
  ];

export const fused: Operations = {
  addBias: (x, bias) => execute('BiasAdd', none, [x, bias])[0] as tf.Tensor5D,
  biasGradient: (dy) => execute('BiasAddGrad', none, [dy])[0] as tf.Tensor,
  reluGradient: (dy, y) => execute('ReluGrad', none, [dy, y])[0] as tf.Tensor5D,
  applyMask: (x, mask) => core.mul(x, core.reshape(mask, [x.shape[0], 1, 1, 1, -1])),
  poolGradient(dy, x, y) {
    // TensorFlow sends the gradient to all voxels that equal the maximum, and after a ReLU several zeros often do. Weights
    // that decrease along the window select the first of them.
    return core.tidy(() => {
      const [, depth, height, width] = y.shape;
      const falling = core.tensor5d([8, 7, 6, 5, 4, 3, 2, 1], [1, 2, 2, 2, 1]);
      const largest = maxPoolGradient(core.onesLike(y), x, y);
      const first = core.mul(largest, core.tile(falling, [1, depth, height, width, 1]));
      return maxPoolGradient(dy, first as tf.Tensor5D, core.maxPool3d(first as tf.Tensor5D, 2, 2, 'valid'));
    });
  },
  normalise(x, gamma, beta, epsilon) {
    // In training mode mean and variance are outputs; the inputs of that name are empty.
    const empty = core.tensor1d([]);
    const [y, mean, variance, ...saved] = execute(
      'FusedBatchNormV3',
      normAttributes(epsilon),
      [x, gamma, beta, empty, empty],
      6,
    ) as [tf.Tensor5D, tf.Tensor, tf.Tensor, ...tf.Tensor[]];
    return { y, mean, variance, saved };
  },
  normaliseGradient(dy, x, gamma, saved, epsilon) {
    const [dx, dGamma, dBeta] = execute(
      'FusedBatchNormGradV3',
      normAttributes(epsilon),
      [dy, x, gamma, ...saved],
      5,
    ) as [tf.Tensor5D, tf.Tensor, tf.Tensor];
    return { dx, dGamma, dBeta };
  },
};

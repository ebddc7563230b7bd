// The weights of a network by tensor name, and their initial values.

import { type RandomStream } from '../random.js';
import { type Architecture } from './architecture.js';
import { type TensorShape, elementCount, listTensors } from './parameters.js';

/** A dense float32 tensor, last axis fastest. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** All tensors of a network, trained ones and batch-norm statistics, in the order of `listTensors`. */
export type Weights = ReadonlyMap<string, Tensor>;

/** Adam's first and second moments per trained tensor, and the number of steps taken. */
export interface OptimizerState {
  readonly step: number;
  readonly m: Weights;
  readonly v: Weights;
}

/**
 * New weights as in PyTorch by default: uniform in +-1/sqrt(fan-in) for weights and biases, batch norm with scale 1 and
 * shift 0, running mean 0 and variance 1.
 */
export function initialWeights(architecture: Architecture, random: RandomStream): Weights {
  const fill = ({ role, shape, fanIn, name }: TensorShape): Float32Array => {
    const data = new Float32Array(elementCount(shape));
    if (role === 'weight' || role === 'bias') {
      const bound = 1 / Math.sqrt(fanIn);
      return data.map(() => (2 * random.uniform() - 1) * bound);
    }
    return data.fill(role === 'norm-weight' || name.endsWith('.running_var') ? 1 : 0);
  };
  return new Map(
    listTensors(architecture).map((tensor) => [tensor.name, { shape: tensor.shape, data: fill(tensor) }]),
  );
}

/** Optimizer state before the first step: all moments zero. */
export function initialOptimizerState(architecture: Architecture): OptimizerState {
  const zeros = (): Weights =>
    new Map(
      listTensors(architecture)
        .filter(({ role }) => role !== 'statistic')
        .map(({ name, shape }) => [name, { shape, data: new Float32Array(elementCount(shape)) }]),
    );
  return { step: 0, m: zeros(), v: zeros() };
}

/** The tensor of that name. Throws a RangeError if the network has none. */
export function tensorOf(weights: Weights, name: string): Tensor {
  const tensor = weights.get(name);
  if (tensor === undefined) throw new RangeError(`no tensor named ${name}`);
  return tensor;
}

// The tensors of a network, with the names and axis orders of PyTorch, and their sizes.

import { type Architecture, blockOutput, listLayers, upSource } from './architecture.js';

/** The role of a tensor: `statistic` is batch-norm state that is saved but not trained. */
export type TensorRole = 'weight' | 'bias' | 'norm-weight' | 'norm-bias' | 'statistic';

/** One tensor of a network. */
export interface TensorShape {
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: TensorRole;
  /** Inputs per output of its convolution; 0 for batch norm. Determines the range of the initial weights. */
  readonly fanIn: number;
}

/**
 * All tensors of a network in the order of data flow. Engines, optimizer state and weights files all use this order.
 * Convolutions are (O, I, 3, 3, 3), up-convolutions (I, O, 2, 2, 2).
 */
export function listTensors(architecture: Architecture): TensorShape[] {
  const tensors: TensorShape[] = [];
  const layers = listLayers(architecture);
  for (const { side, level, layer, name, inputs, width } of layers) {
    if (side === 'decoder' && layer === 0) tensors.push(...upTensors(architecture, level));
    const fanIn = inputs * 27;
    tensors.push(
      { name: `${name}.conv.weight`, shape: [width, inputs, 3, 3, 3], role: 'weight', fanIn },
      { name: `${name}.conv.bias`, shape: [width], role: 'bias', fanIn },
      { name: `${name}.norm.weight`, shape: [width], role: 'norm-weight', fanIn: 0 },
      { name: `${name}.norm.bias`, shape: [width], role: 'norm-bias', fanIn: 0 },
      { name: `${name}.norm.running_mean`, shape: [width], role: 'statistic', fanIn: 0 },
      { name: `${name}.norm.running_var`, shape: [width], role: 'statistic', fanIn: 0 },
    );
  }
  const channels = (layers.at(-1) as { width: number }).width;
  tensors.push(
    { name: 'head.weight', shape: [architecture.labels, channels, 1, 1, 1], role: 'weight', fanIn: channels },
    { name: 'head.bias', shape: [architecture.labels], role: 'bias', fanIn: channels },
  );
  return tensors;
}

function upTensors(architecture: Architecture, level: number): TensorShape[] {
  const inputs = blockOutput(architecture, upSource(architecture, level));
  const outputs = architecture.up[level] as number;
  // PyTorch takes the fan-in of a transposed convolution from axis 1 of its weight: outputs * 2^3.
  const fanIn = outputs * 8;
  return [
    { name: `up.${level}.weight`, shape: [inputs, outputs, 2, 2, 2], role: 'weight', fanIn },
    { name: `up.${level}.bias`, shape: [outputs], role: 'bias', fanIn },
  ];
}

/** The number of elements of a tensor with this shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Trained parameters of a network, without the running statistics of batch norm. */
export function countParameters(architecture: Architecture): number {
  return listTensors(architecture)
    .filter(({ role }) => role !== 'statistic')
    .reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

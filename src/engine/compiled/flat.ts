// Converts networks to the flat arrays that the C++ code computes on, and back.

import { type Architecture } from '../../network/architecture.js';
import { elementCount, listTensors } from '../../network/parameters.js';
import { type OptimizerState, type Tensor, type Weights, tensorOf } from '../../network/weights.js';
import { DEFAULT_LOSS, type NetworkSettings } from '../engine.js';

/** A network as flat arrays. */
export interface FlatNetwork {
  /** The shape in the order that network/flat_shape.cpp expects. */
  readonly shape: Int32Array;
  /** All tensors side by side in the order of `listTensors`. */
  readonly weights: Float32Array;
  readonly targets: Uint32Array;
  /** Whether the loss has cross-entropy, whether Dice is over the batch, and the ignored label index or -1. */
  readonly loss: Int32Array;
  /** beta1, beta2, epsilon. */
  readonly adam: Float32Array;
  /** The state of Adam, if training continues. */
  readonly moments?: { readonly m: Float32Array; readonly v: Float32Array } | undefined;
  readonly step: number;
}

export function flattenNetwork(
  settings: NetworkSettings,
  weights: Weights,
  optimizer?: OptimizerState,
): FlatNetwork {
  const { architecture, targets, adam } = settings;
  return {
    shape: flattenShape(settings),
    weights: flatten(architecture, weights),
    targets,
    loss: flattenLoss(settings),
    adam: Float32Array.of(adam.beta1, adam.beta2, adam.epsilon),
    ...(optimizer && {
      moments: { m: flatten(architecture, optimizer.m), v: flatten(architecture, optimizer.v) },
    }),
    step: optimizer?.step ?? 0,
  };
}

function flattenLoss({ loss = DEFAULT_LOSS, ignored = -1 }: NetworkSettings): Int32Array {
  return Int32Array.of(Number(loss.entropy), Number(loss.batchDice), ignored);
}

/** Splits a flat array into tensors, with or without statistics. */
export function splitTensors(architecture: Architecture, flat: Float32Array, statistics: boolean): Weights {
  const parts = new Map<string, Tensor>();
  let at = 0;
  for (const { name, shape, role } of listTensors(architecture)) {
    const end = at + elementCount(shape);
    if (statistics || role !== 'statistic') parts.set(name, { shape, data: flat.slice(at, end) });
    at = end;
  }
  return parts;
}

/** All tensors side by side. Optimizer state has no statistics; zeros take their place. */
function flatten(architecture: Architecture, weights: Weights): Float32Array {
  const tensors = listTensors(architecture).map((tensor) => ({
    ...tensor,
    length: elementCount(tensor.shape),
  }));
  const flat = new Float32Array(tensors.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const { name, length, role } of tensors) {
    if (weights.has(name) || role !== 'statistic') {
      const { data } = tensorOf(weights, name);
      if (data.length !== length)
        throw new RangeError(`${name} holds ${data.length} numbers, expected ${length}`);
      flat.set(data, at);
    }
    at += length;
  }
  return flat;
}

/** The shape as a flat array, in the order that network/flat_shape.cpp expects. */
export function flattenShape({
  architecture,
  size,
  maxBatch,
}: Pick<NetworkSettings, 'architecture' | 'size' | 'maxBatch'>): Int32Array {
  const { inputChannels, labels, skips, encoder, decoder, up } = architecture;
  return Int32Array.from([
    inputChannels,
    labels,
    Number(skips),
    ...size,
    maxBatch,
    encoder.length,
    ...encoder.map((block) => block.length),
    ...decoder.map((block) => block.length),
    ...encoder.flat(),
    ...decoder.flat(),
    ...up,
  ]);
}

// The calls of a network as operations of TensorFlow.js. A call frees every tensor that it makes.

import type * as tf from '@tensorflow/tfjs-core';
import { core } from './core.js';
import { totalChannels } from '../../network/architecture.js';
import { listTensors } from '../../network/parameters.js';
import { type Weights, tensorOf } from '../../network/weights.js';
import {
  type ActivationSums,
  type NetworkSettings,
  type Overlap,
  type PassMode,
  type Sample,
} from '../engine.js';
import { type BackwardResult, backward } from './backward.js';
import { type ForwardMode, type LayerTrace, forward, magnitudeOf } from './forward.js';
import { type SampleStore, download, imageTensor } from './layouts.js';
import { countedIn, lossOf } from './loss.js';
import { type Operations } from './operations.js';
import { type DeviceParameters, type Staged } from './parameters.js';

/** A network on the device. */
export interface LoadedNetwork {
  readonly settings: NetworkSettings;
  readonly operations: Operations;
  readonly store: SampleStore;
  readonly parameters: DeviceParameters;
}

/** One training step. Resolves to the loss before it; a loss that is not finite changes nothing. */
export async function trainStep(
  network: LoadedNetwork,
  batch: readonly Sample[],
  masks: Float32Array,
  learningRate: number,
): Promise<number> {
  const { parameters } = network;
  let staged: Staged | undefined;
  const loss = core.tidy(() => {
    const { loss: value, gradients, traces } = differentiate(network, batch, { masks });
    staged = parameters.stage(gradients, traces, learningRate);
    for (const tensor of Object.values(staged)) core.keep(tensor);
    return value;
  });
  const value = await scalarOf(loss);
  if (Number.isFinite(value)) parameters.commit(staged as Staged);
  else core.dispose(Object.values(staged as Staged));
  return value;
}

/** The overlap of each case at p > 0.5. */
export async function evaluate(network: LoadedNetwork, batch: readonly Sample[]): Promise<Overlap[]> {
  const { settings, operations, parameters, store } = network;
  const { architecture } = settings;
  const sums = core.tidy(() => {
    const { image, target } = store.batch(batch, settings);
    const mode: ForwardMode = { statistics: 'running', check: true };
    const { logits, traces } = forward(architecture, parameters.tensors(), image, mode, operations);
    const flat = (x: tf.Tensor): tf.Tensor => core.reshape(x, [batch.length, -1, architecture.labels]);
    // 1 where p > 0.5.
    const above = core.step(core.sub(flat(core.sigmoid(logits)), 0.5));
    const mask = settings.ignored === undefined ? above : core.mul(above, countedIn(flat(target)));
    const wanted = settings.ignored === undefined ? flat(target) : core.relu(flat(target));
    const overlaps = [core.mul(mask, wanted), mask, wanted].map((each) =>
      core.reshape(core.sum(each, 1), [-1]),
    );
    const magnitudes = traces.map(({ magnitude }) => magnitude as tf.Tensor1D);
    // Not addN: WebGPU limits the number of tensors of one operation, and addN gives zeros beyond the limit.
    const magnitude = core.sum(core.stack([...magnitudes, magnitudeOf(logits)]), 0);
    return core.concat([...overlaps, magnitude]);
  });
  const values = Float64Array.from(await sums.data());
  sums.dispose();
  return batch.map((_, n) => overlapOf(values, n, batch.length, architecture.labels));
}

/** Probabilities (N, labels, D, H, W). */
export async function predict(
  { settings: { architecture, size }, operations, parameters }: LoadedNetwork,
  volumes: readonly Float32Array[],
  statistics: 'running' | 'batch',
): Promise<Float32Array> {
  const result = core.tidy(() => {
    const image = imageTensor(volumes, [architecture.inputChannels, ...size]);
    const { logits } = forward(architecture, parameters.tensors(), image, { statistics }, operations);
    return core.transpose(core.sigmoid(logits), [0, 4, 1, 2, 3]);
  });
  const values = Float32Array.from(await result.data());
  result.dispose();
  return values;
}

/** Sums over the activations of each layer, per case and channel. */
export async function activationSums(
  network: LoadedNetwork,
  batch: readonly Sample[],
  mode: PassMode,
  withGradients: boolean,
): Promise<ActivationSums> {
  const result = core.tidy(() => {
    const { traces, activations } = differentiate(network, batch, mode, true);
    const collect = (of: (activation: tf.Tensor, i: number) => tf.Tensor): tf.Tensor =>
      core.concat(
        traces.map(({ activation, layer: { width } }, i) =>
          core.sum(core.reshape(of(activation, i), [batch.length, -1, width]), 1),
        ),
        1,
      );
    return [
      collect((activation) => activation),
      collect((activation) => core.square(activation)),
      ...(withGradients
        ? [collect((activation, i) => core.mul(activation, activations[i] as tf.Tensor))]
        : []),
    ];
  });
  const [sum, sumOfSquares, gradientProduct] = await Promise.all(
    result.map(async (tensor) => Float64Array.from(await tensor.data())),
  );
  core.dispose(result);
  return {
    channels: totalChannels(network.settings.architecture),
    sum: sum as Float64Array,
    sumOfSquares: sumOfSquares as Float64Array,
    ...(gradientProduct && { gradientProduct }),
  };
}

/** The loss and the gradient of every trained tensor. */
export async function gradients(
  network: LoadedNetwork,
  batch: readonly Sample[],
  mode: PassMode,
): Promise<{ loss: number; gradients: Weights }> {
  let found: Map<string, tf.Tensor> | undefined;
  const loss = core.tidy(() => {
    const result = differentiate(network, batch, mode);
    found = result.gradients;
    for (const tensor of found.values()) core.keep(tensor);
    return result.loss;
  });
  return {
    loss: await scalarOf(loss),
    gradients: await inOrder(network, found as Map<string, tf.Tensor>),
  };
}

/** The gradient of the objective of SynFlow. */
export function synflowGradients(network: LoadedNetwork): Promise<Weights> {
  const { settings, operations, parameters } = network;
  const { architecture, size } = settings;
  const found = new Map<string, tf.Tensor>();
  core.tidy(() => {
    const image: tf.Tensor5D = core.ones([1, ...size, architecture.inputChannels]);
    const tensors = parameters.tensors();
    const { logits, traces } = forward(architecture, tensors, image, { statistics: 'none' }, operations);
    const { gradients } = backward(architecture, tensors, traces, core.onesLike(logits), operations, {
      linear: true,
    });
    for (const name of trainedTensors(network))
      found.set(name, core.keep(gradients.get(name) ?? core.zerosLike(tensors.get(name) as tf.Tensor)));
  });
  return inOrder(network, found);
}

/** Loss, gradients and traces of the layers; call it within core.tidy. */
function differentiate(
  { settings, operations, parameters, store }: LoadedNetwork,
  batch: readonly Sample[],
  mode: PassMode,
  keep = false,
): BackwardResult & { loss: tf.Scalar; traces: readonly LayerTrace[] } {
  const { architecture } = settings;
  const { image, target } = store.batch(batch, settings);
  const tensors = parameters.tensors();
  const how = forwardMode(mode, batch.length, totalChannels(architecture));
  const { logits, traces } = forward(architecture, tensors, image, how, operations);
  const { loss, gradient } = core.tidy(() => lossOf(logits, target, settings));
  core.dispose([logits, target]);
  return { ...backward(architecture, tensors, traces, gradient, operations, { keep }), loss, traces };
}

async function scalarOf(tensor: tf.Scalar): Promise<number> {
  const [value] = (await tensor.data()) as unknown as [number];
  tensor.dispose();
  return value;
}

function trainedTensors({ settings: { architecture } }: LoadedNetwork): string[] {
  return listTensors(architecture)
    .filter(({ role }) => role !== 'statistic')
    .map(({ name }) => name);
}

/** Downloads gradients in the order of the tensors of the network, and frees them. */
async function inOrder(network: LoadedNetwork, gradients: ReadonlyMap<string, tf.Tensor>): Promise<Weights> {
  const found = await download(gradients);
  return new Map(trainedTensors(network).map((name) => [name, tensorOf(found, name)]));
}

function forwardMode(mode: PassMode, cases: number, channels: number): ForwardMode {
  if (mode === 'evaluation') return { statistics: 'running' };
  // Without dropout all multipliers are 1, so the multiplication is skipped.
  const dropped = mode.masks.some((value) => value !== 1);
  return { statistics: 'batch', ...(dropped && { masks: core.tensor2d(mode.masks, [cases, channels]) }) };
}

/** The overlap of one case from (3, N, labels) sums; the magnitudes of the cases follow the sums. */
function overlapOf(sums: Float64Array, at: number, cases: number, labels: number): Overlap {
  const finite = Number.isFinite(sums[3 * cases * labels + at]);
  const part = (i: number): Float64Array =>
    finite
      ? sums.slice((i * cases + at) * labels, (i * cases + at + 1) * labels)
      : new Float64Array(labels).fill(NaN);
  return { intersection: part(0), predicted: part(1), target: part(2) };
}

// The network's forward pass in TensorFlow.js operations. Tensors are (N, D, H, W, C), as TensorFlow has them; filters
// (D, H, W, I, O), those of up-convolutions (D, H, W, O, I).

import * as tf from '@tensorflow/tfjs-core';
import { type Architecture, type Layer, listLayers, upSource } from '../../network/architecture.js';

const EPSILON = 1e-5;

/** A network's tensors by name. */
export type Parameters = ReadonlyMap<string, tf.Tensor>;

/** How a pass treats batch norm, dropout and the parameters. */
export interface ForwardMode {
  /** Of batch norm; `none` is SynFlow's linear network: absolute parameters, neither batch norm nor ReLU. */
  readonly statistics: 'batch' | 'running' | 'none';
  /** (N, channels of all layers) multipliers. */
  readonly masks?: tf.Tensor2D;
}

/** What a layer computed, for the backward pass. */
export interface LayerTrace {
  readonly layer: Layer;
  readonly input: tf.Tensor5D;
  /** After the ReLU. */
  readonly activation: tf.Tensor5D;
  /** After batch norm and dropout. */
  readonly output: tf.Tensor5D;
  /** Of batch norm: biased variance, and 1 / sqrt(variance + epsilon). */
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
  readonly inverse: tf.Tensor;
  /** (N, 1, 1, 1, C) */
  readonly mask?: tf.Tensor;
}

export interface ForwardResult {
  /** (N, D, H, W, labels) */
  readonly logits: tf.Tensor5D;
  readonly traces: readonly LayerTrace[];
}

/** Runs the network; to be called within tf.tidy. */
export function forward(
  architecture: Architecture,
  parameters: Parameters,
  image: tf.Tensor5D,
  mode: ForwardMode,
): ForwardResult {
  const get = <T extends tf.Tensor>(name: string): T => {
    const tensor = parameters.get(name) as tf.Tensor;
    return (mode.statistics === 'none' ? tf.abs(tensor) : tensor) as T;
  };
  const traces: LayerTrace[] = [];
  const blocks = new Map<string, tf.Tensor5D>();
  let x = image;
  let channel = 0;
  for (const layer of listLayers(architecture)) {
    if (layer.layer === 0) x = blockInput(architecture, layer, x, blocks, get);
    const mask =
      mode.masks &&
      tf.reshape(tf.slice(mode.masks, [0, channel], [-1, layer.width]), [-1, 1, 1, 1, layer.width]);
    const trace = runLayer(layer, x, mode.statistics, mask, get);
    traces.push(trace);
    x = trace.output;
    channel += layer.width;
    blocks.set(`${layer.side}.${layer.level}`, x);
  }
  return { logits: tf.add(tf.conv3d(x, get('head.weight'), 1, 'same'), get('head.bias')), traces };
}

function runLayer(
  layer: Layer,
  input: tf.Tensor5D,
  statistics: ForwardMode['statistics'],
  mask: tf.Tensor | undefined,
  get: <T extends tf.Tensor>(name: string) => T,
): LayerTrace {
  const { name } = layer;
  const convolved: tf.Tensor5D = tf.add(
    tf.conv3d(input, get(`${name}.conv.weight`), 1, 'same'),
    get(`${name}.conv.bias`),
  );
  const activation = statistics === 'none' ? convolved : tf.relu(convolved);
  const moments =
    statistics === 'batch'
      ? tf.moments(activation, [0, 1, 2, 3])
      : { mean: get(`${name}.norm.running_mean`), variance: get(`${name}.norm.running_var`) };
  const inverse = tf.rsqrt(tf.add(moments.variance, EPSILON));
  let output: tf.Tensor5D = activation;
  if (statistics !== 'none') {
    const scale = tf.mul(inverse, get(`${name}.norm.weight`));
    const shift = tf.sub(get(`${name}.norm.bias`), tf.mul(moments.mean, scale));
    output = tf.add(tf.mul(activation, scale), shift);
    if (mask) output = tf.mul(output, mask);
  }
  return { layer, input, activation, output, ...moments, inverse, ...(mask && { mask }) };
}

/** A block's input: the image, the pooled block above, or the up-convolved block below with the skip behind it. */
function blockInput(
  architecture: Architecture,
  { side, level }: Layer,
  image: tf.Tensor5D,
  blocks: ReadonlyMap<string, tf.Tensor5D>,
  get: <T extends tf.Tensor>(name: string) => T,
): tf.Tensor5D {
  if (side === 'encoder')
    return level === 0
      ? image
      : tf.maxPool3d(blocks.get(`encoder.${level - 1}`) as tf.Tensor5D, 2, 2, 'valid');
  const source = upSource(architecture, level);
  const below = blocks.get(`${source.side}.${source.level}`) as tf.Tensor5D;
  const [n, d, h, w] = below.shape;
  const width = architecture.up[level] as number;
  const raised: tf.Tensor5D = tf.add(
    tf.conv3dTranspose(below, get(`up.${level}.weight`), [n, 2 * d, 2 * h, 2 * w, width], 2, 'same'),
    get(`up.${level}.bias`),
  );
  return architecture.skips ? tf.concat([raised, blocks.get(`encoder.${level}`) as tf.Tensor5D], 4) : raised;
}

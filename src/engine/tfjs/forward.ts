// The forward pass of the network in TensorFlow.js operations. Tensors are (N, D, H, W, C), as in TensorFlow; filters
// (D, H, W, I, O), those of up-convolutions (D, H, W, O, I).

import type * as tf from '@tensorflow/tfjs-core';
import { core } from './core.js';
import {
  type Architecture,
  type Layer,
  NORM_EPSILON,
  listLayers,
  upSource,
} from '../../network/architecture.js';
import { type Operations, type Statistics, scaleShift, scoped } from './operations.js';

/** The tensors of a network by name. */
export type Parameters = ReadonlyMap<string, tf.Tensor>;

/** How a pass treats batch norm, dropout and the parameters. */
export interface ForwardMode {
  /** Statistics of batch norm; `none` is the linear network of SynFlow: absolute parameters, no batch norm, no ReLU. */
  readonly statistics: 'batch' | 'running' | 'none';
  /** (N, channels of all layers) multipliers. */
  readonly masks?: tf.Tensor2D;
  /** Whether to look for values that overflow. */
  readonly check?: boolean;
}

/** The results of a layer that the backward pass needs. */
export interface LayerTrace {
  readonly layer: Layer;
  readonly input: tf.Tensor5D;
  /** After the ReLU. */
  readonly activation: tf.Tensor5D;
  /** After batch norm and dropout. */
  readonly output: tf.Tensor5D;
  /** Statistics of the batch, if batch norm uses them. */
  readonly normalised?: Statistics;
  /** (N, 1, C) */
  readonly mask?: tf.Tensor;
  /** `magnitudeOf` the values before the ReLU, if they are checked. */
  readonly magnitude?: tf.Tensor1D;
}

type Computed = Omit<LayerTrace, 'layer' | 'input'>;

export interface ForwardResult {
  /** (N, D, H, W, labels) */
  readonly logits: tf.Tensor5D;
  readonly traces: readonly LayerTrace[];
}

/** Runs the network; call it within core.tidy. */
export function forward(
  architecture: Architecture,
  parameters: Parameters,
  image: tf.Tensor5D,
  mode: ForwardMode,
  operations: Operations,
): ForwardResult {
  const get = <T extends tf.Tensor>(name: string): T => {
    const tensor = parameters.get(name) as tf.Tensor;
    return (mode.statistics === 'none' ? core.abs(tensor) : tensor) as T;
  };
  const traces: LayerTrace[] = [];
  const blocks = new Map<string, tf.Tensor5D>();
  let x = image;
  let channel = 0;
  for (const layer of listLayers(architecture)) {
    if (layer.layer === 0) {
      const above = x;
      x = core.tidy(() => blockInput(architecture, layer, above, blocks, get, operations));
    }
    const mask =
      mode.masks &&
      core.reshape(core.slice(mode.masks, [0, channel], [-1, layer.width]), [-1, 1, layer.width]);
    // Keeps only the tensors that the backward pass needs.
    const trace = {
      layer,
      input: x,
      ...scoped(() => runLayer(layer, x, mode, mask, get, operations)),
    };
    traces.push(trace);
    x = trace.output;
    channel += layer.width;
    blocks.set(`${layer.side}.${layer.level}`, x);
  }
  const logits = core.tidy(() =>
    operations.addBias(core.conv3d(x, get('head.weight'), 1, 'same'), get('head.bias')),
  );
  return { logits, traces };
}

function runLayer(
  layer: Layer,
  input: tf.Tensor5D,
  { statistics, check }: ForwardMode,
  mask: tf.Tensor | undefined,
  get: <T extends tf.Tensor>(name: string) => T,
  operations: Operations,
): Computed {
  const { name } = layer;
  const bare = core.conv3d(input, get<tf.Tensor5D>(`${name}.conv.weight`), 1, 'same');
  const convolved = operations.addBias(bare, get(`${name}.conv.bias`));
  bare.dispose();
  if (statistics === 'none') return { activation: convolved, output: convolved };
  const magnitude = check ? magnitudeOf(convolved) : undefined;
  const activation = core.relu(convolved);
  convolved.dispose();
  const [gamma, beta] = [get(`${name}.norm.weight`), get(`${name}.norm.bias`)];
  if (statistics === 'batch') {
    const { y, ...normalised } = operations.normalise(activation, gamma, beta, NORM_EPSILON);
    const output = mask ? operations.applyMask(y, mask) : y;
    return { activation, output, normalised, ...(mask && { mask }) };
  }
  const inverse = core.rsqrt(core.add(get(`${name}.norm.running_var`), NORM_EPSILON));
  const scale = core.mul(inverse, gamma);
  const shift = core.sub(beta, core.mul(get(`${name}.norm.running_mean`), scale));
  return { activation, output: scaleShift(activation, scale, shift), ...(magnitude && { magnitude }) };
}

/** For each case (N) a scaled sum of absolute values; it is finite if all values are, since the scale avoids overflow. */
export function magnitudeOf(x: tf.Tensor5D): tf.Tensor1D {
  return core.tidy(() => core.sum(core.reshape(core.abs(core.mul(x, 1e-12)), [x.shape[0], -1]), 1));
}

/** The input of a block: the image, the pooled block above, or the up-convolved block below followed by the skip. */
function blockInput(
  architecture: Architecture,
  { side, level }: Layer,
  image: tf.Tensor5D,
  blocks: ReadonlyMap<string, tf.Tensor5D>,
  get: <T extends tf.Tensor>(name: string) => T,
  operations: Operations,
): tf.Tensor5D {
  if (side === 'encoder')
    return level === 0
      ? image
      : core.maxPool3d(blocks.get(`encoder.${level - 1}`) as tf.Tensor5D, 2, 2, 'valid');
  const source = upSource(architecture, level);
  const below = blocks.get(`${source.side}.${source.level}`) as tf.Tensor5D;
  const [n, d, h, w] = below.shape;
  const width = architecture.up[level] as number;
  const shape: [number, number, number, number, number] = [n, 2 * d, 2 * h, 2 * w, width];
  const bare = core.conv3dTranspose(below, get<tf.Tensor5D>(`up.${level}.weight`), shape, 2, 'same');
  const raised = operations.addBias(bare, get(`up.${level}.bias`));
  bare.dispose();
  return architecture.skips
    ? core.concat([raised, blocks.get(`encoder.${level}`) as tf.Tensor5D], 4)
    : raised;
}

// The network's backward pass in TensorFlow.js operations, written out instead of recorded: the tape of TensorFlow.js
// would keep many more volumes alive than the activation and the input of each layer, which are enough.

import * as tf from '@tensorflow/tfjs-core';
import { type Architecture, upSource } from '../../network/architecture.js';
import { type LayerTrace, type Parameters } from './forward.js';

const SPACE = [0, 1, 2, 3];
const SMOOTH = 1e-7;

/** Soft Dice loss, 1 - mean over labels of 2 sum(p t) / (sum p + sum t), sums over batch and space; and d loss / d logits. */
export function diceLoss(
  logits: tf.Tensor5D,
  target: tf.Tensor5D,
): { loss: tf.Scalar; gradient: tf.Tensor5D } {
  const p = tf.sigmoid(logits);
  const labels = target.shape[4];
  const both = tf.sum(tf.mul(p, target), SPACE);
  const total = tf.add(tf.add(tf.sum(p, SPACE), tf.sum(target, SPACE)), SMOOTH);
  const ratio = tf.div(tf.mul(both, 2), total);
  // d/dp = -(2 t - ratio) / total / labels
  const byProbability = tf.div(tf.sub(ratio, tf.mul(target, 2)), tf.mul(total, labels));
  return {
    loss: tf.sub(1, tf.mean(ratio)),
    gradient: tf.mul(byProbability, tf.mul(p, tf.sub(1, p))),
  };
}

/** Gradients by the names of tensors, and those at each layer's activation (after the ReLU), in the order of traces. */
export interface BackwardResult {
  readonly gradients: Map<string, tf.Tensor>;
  readonly activations: readonly tf.Tensor[];
}

/** Takes d loss / d logits back through the network; to be called within tf.tidy. `linear`: SynFlow's network. */
export function backward(
  architecture: Architecture,
  parameters: Parameters,
  traces: readonly LayerTrace[],
  dLogits: tf.Tensor5D,
  linear = false,
): BackwardResult {
  const get = (name: string): tf.Tensor5D => {
    const tensor = parameters.get(name) as tf.Tensor5D;
    return linear ? tf.abs(tensor) : tensor;
  };
  const gradients = new Map<string, tf.Tensor>();
  const activations: tf.Tensor[] = [];
  // What has arrived at a block's output so far: a skip brings its part before the pooled path does.
  const arrived = new Map<string, tf.Tensor5D>();
  const arrive = (block: string, gradient: tf.Tensor5D): void => {
    const other = arrived.get(block);
    arrived.set(block, other ? tf.add(other, gradient) : gradient);
  };
  const last = traces.at(-1) as LayerTrace;
  gradients.set('head.weight', filterGradient(last.output, dLogits, get('head.weight').shape, 1));
  gradients.set('head.bias', tf.sum(dLogits, SPACE));
  let g = inputGradient(dLogits, get('head.weight'), last.output.shape);
  for (const trace of [...traces].reverse()) {
    const { side, level, layer, name } = trace.layer;
    const block = `${side}.${level}`;
    const widths = architecture[side][level] as readonly number[];
    if (layer === widths.length - 1 && trace !== last) g = arrived.get(block) as tf.Tensor5D;
    const da = linear ? g : throughNorm(trace, get(`${name}.norm.weight`), g, gradients);
    activations.unshift(da);
    const d: tf.Tensor5D = linear ? da : tf.mul(da, tf.step(trace.activation));
    const filter = get(`${name}.conv.weight`);
    gradients.set(`${name}.conv.weight`, filterGradient(trace.input, d, filter.shape, 1));
    gradients.set(`${name}.conv.bias`, tf.sum(d, SPACE));
    if (side === 'encoder' && level === 0 && layer === 0) break;
    g = inputGradient(d, filter, trace.input.shape);
    if (layer > 0) continue;
    if (side === 'encoder') {
      const above = outputOf(traces, 'encoder', level - 1);
      arrive(`encoder.${level - 1}`, poolGradient(g, above));
      continue;
    }
    const width = architecture.up[level] as number;
    if (architecture.skips)
      arrive(`encoder.${level}`, tf.slice(g, [0, 0, 0, 0, width], [-1, -1, -1, -1, -1]));
    const raised = tf.slice(g, [0, 0, 0, 0, 0], [-1, -1, -1, -1, width]);
    const source = upSource(architecture, level);
    const below = outputOf(traces, source.side, source.level);
    const up = get(`up.${level}.weight`);
    // The up-convolution is the input gradient of a convolution with stride 2, so the roles are swapped.
    gradients.set(`up.${level}.weight`, filterGradient(raised, below, up.shape, 2));
    gradients.set(`up.${level}.bias`, tf.sum(raised, SPACE));
    arrive(`${source.side}.${source.level}`, tf.conv3d(raised, up, 2, 'same'));
  }
  return { gradients, activations };
}

/** Through dropout and batch norm: y = mask * (gamma * xhat + beta). Sets the gradients of gamma and beta. */
function throughNorm(
  { layer: { name }, activation, mean, inverse, mask }: LayerTrace,
  gamma: tf.Tensor,
  g: tf.Tensor5D,
  gradients: Map<string, tf.Tensor>,
): tf.Tensor5D {
  const masked = mask ? tf.mul(g, mask) : g;
  const xhat = tf.mul(tf.sub(activation, mean), inverse);
  const dBeta = tf.sum(masked, SPACE);
  const dGamma = tf.sum(tf.mul(masked, xhat), SPACE);
  gradients.set(`${name}.norm.weight`, dGamma);
  gradients.set(`${name}.norm.bias`, dBeta);
  const count = activation.size / activation.shape[4];
  const centred = tf.sub(tf.sub(masked, tf.div(dBeta, count)), tf.mul(xhat, tf.div(dGamma, count)));
  return tf.mul(centred, tf.mul(gamma, inverse));
}

function outputOf(traces: readonly LayerTrace[], side: 'encoder' | 'decoder', level: number): tf.Tensor5D {
  return (traces.findLast(({ layer }) => layer.side === side && layer.level === level) as LayerTrace).output;
}

function filterGradient(x: tf.Tensor5D, dy: tf.Tensor5D, filterShape: number[], strides: number): tf.Tensor {
  return tf
    .engine()
    .runKernel(
      tf.Conv3DBackpropFilterV2,
      { x, dy },
      { strides: [strides, strides, strides], pad: 'same', filterShape },
    );
}

function inputGradient(dy: tf.Tensor5D, filter: tf.Tensor5D, inputShape: number[]): tf.Tensor5D {
  return tf
    .engine()
    .runKernel(tf.Conv3DBackpropInputV2, { dy, filter }, { strides: [1, 1, 1], pad: 'same', inputShape });
}

function poolGradient(dy: tf.Tensor5D, input: tf.Tensor5D): tf.Tensor5D {
  return tf
    .engine()
    .runKernel(tf.MaxPool3DGrad, { dy, input }, { filterSize: [2, 2, 2], strides: [2, 2, 2], pad: 'valid' });
}

// The backward pass of the network in TensorFlow.js operations. It is written by hand, because the automatic gradient of
// TensorFlow.js would keep many more volumes than the activation and the input of each layer, which are enough.

import * as tf from '@tensorflow/tfjs-core';
import { type Architecture, NORM_EPSILON, upSource } from '../../network/architecture.js';
import { type LayerTrace, type Parameters } from './forward.js';
import { type Operations, scaleShift } from './operations.js';

const SMOOTH = 1e-7;

/** Soft Dice loss, 1 - mean over labels of 2 sum(p t) / (sum p + sum t), sums over batch and space; and d loss / d logits. */
export function diceLoss(
  logits: tf.Tensor5D,
  target: tf.Tensor5D,
): { loss: tf.Scalar; gradient: tf.Tensor5D } {
  const labels = target.shape[4];
  const p = tf.sigmoid(tf.reshape(logits, [-1, labels]));
  const t = tf.reshape(target, [-1, labels]);
  const both = tf.tidy(() => tf.sum(tf.mul(p, t), 0));
  const total = tf.add(tf.add(tf.sum(p, 0), tf.sum(t, 0)), SMOOTH);
  const ratio = tf.div(tf.mul(both, 2), total);
  // d/dp = (ratio - 2 t) / total / labels, times p (1 - p); written so that few tensors are alive at once.
  const share = tf.mul(total, labels);
  const byProbability = tf.tidy(() => tf.sub(tf.div(ratio, share), tf.mul(t, tf.div(2, share))));
  const slope = tf.tidy(() => tf.mul(p, tf.sub(1, p)));
  p.dispose();
  return {
    loss: tf.sub(1, tf.mean(ratio)),
    gradient: tf.reshape(tf.mul(byProbability, slope), logits.shape),
  };
}

/**
 * Gradients by tensor name; with `keep`, also the gradients at the activations of all layers (after the ReLU), in the order
 * of traces.
 */
export interface BackwardResult {
  readonly gradients: Map<string, tf.Tensor>;
  readonly activations: readonly tf.Tensor[];
}

export interface BackwardOptions {
  /** The network of SynFlow: absolute parameters, without batch norm and ReLU. */
  readonly linear?: boolean;
  /** Keep the volumes of the traces and the gradients at the activations; else each is freed after its last use. */
  readonly keep?: boolean;
}

/** Propagates d loss / d logits back through the network; call it within tf.tidy. */
export function backward(
  architecture: Architecture,
  parameters: Parameters,
  traces: readonly LayerTrace[],
  dLogits: tf.Tensor5D,
  operations: Operations,
  { linear = false, keep = false }: BackwardOptions = {},
): BackwardResult {
  const get = (name: string): tf.Tensor5D => {
    const tensor = parameters.get(name) as tf.Tensor5D;
    return linear ? tf.abs(tensor) : tensor;
  };
  const gradients = new Map<string, tf.Tensor>();
  const activations: tf.Tensor[] = [];
  const free = (...tensors: tf.Tensor[]): void => {
    if (!keep) tf.dispose(tensors);
  };
  // The gradient at the output of a block so far: the contribution of the skip comes before that of the pooled path.
  const arrived = new Map<string, tf.Tensor5D>();
  const arrive = (block: string, gradient: tf.Tensor5D): void => {
    const other = arrived.get(block);
    arrived.set(block, other ? tf.add(other, gradient) : gradient);
    if (other) free(other, gradient);
  };
  const last = traces.at(-1) as LayerTrace;
  gradients.set('head.weight', filterGradient(last.output, dLogits, get('head.weight').shape, 1));
  gradients.set('head.bias', operations.biasGradient(dLogits));
  let g = inputGradient(dLogits, get('head.weight'), last.output.shape);
  free(dLogits, last.output);
  for (const trace of [...traces].reverse()) {
    const { side, level, layer, name } = trace.layer;
    const block = `${side}.${level}`;
    const widths = architecture[side][level] as readonly number[];
    if (layer === widths.length - 1 && trace !== last) g = arrived.get(block) as tf.Tensor5D;
    const da = linear ? g : throughNorm(trace, get, g, gradients, operations);
    if (keep) activations.unshift(da);
    const d = linear ? da : operations.reluGradient(da, trace.activation);
    if (!linear) free(g, da, trace.activation);
    const filter = get(`${name}.conv.weight`);
    gradients.set(`${name}.conv.weight`, filterGradient(trace.input, d, filter.shape, 1));
    gradients.set(`${name}.conv.bias`, operations.biasGradient(d));
    if (side === 'encoder' && level === 0 && layer === 0) break;
    g = inputGradient(d, filter, trace.input.shape);
    free(d);
    if (layer > 0) {
      free(trace.input);
      continue;
    }
    if (side === 'encoder') {
      const above = outputOf(traces, 'encoder', level - 1);
      arrive(`encoder.${level - 1}`, operations.poolGradient(g, above, trace.input));
      free(g, above, trace.input);
      continue;
    }
    free(trace.input);
    const width = architecture.up[level] as number;
    if (architecture.skips)
      arrive(`encoder.${level}`, tf.slice(g, [0, 0, 0, 0, width], [-1, -1, -1, -1, -1]));
    const raised = tf.slice(g, [0, 0, 0, 0, 0], [-1, -1, -1, -1, width]);
    free(g);
    const source = upSource(architecture, level);
    const below = outputOf(traces, source.side, source.level);
    const up = get(`up.${level}.weight`);
    // The up-convolution is the input gradient of a convolution with stride 2, so the roles are swapped.
    gradients.set(`up.${level}.weight`, filterGradient(raised, below, up.shape, 2));
    gradients.set(`up.${level}.bias`, operations.biasGradient(raised));
    arrive(`${source.side}.${source.level}`, tf.conv3d(raised, up, 2, 'same'));
    free(raised, below);
  }
  return { gradients, activations };
}

/**
 * Back through dropout and batch norm: y = mask * (gamma * xhat + beta). Sets the gradients of gamma and beta. With running
 * statistics, which are constants, the input gradient is only scaled.
 */
function throughNorm(
  { layer: { name }, activation, normalised, mask }: LayerTrace,
  get: (name: string) => tf.Tensor,
  g: tf.Tensor5D,
  gradients: Map<string, tf.Tensor>,
  operations: Operations,
): tf.Tensor5D {
  const gamma = get(`${name}.norm.weight`);
  const { dx, dGamma, dBeta } = tf.tidy(() => {
    const masked = mask ? operations.applyMask(g, mask) : g;
    if (normalised)
      return operations.normaliseGradient(masked, activation, gamma, normalised.saved, NORM_EPSILON);
    const inverse = tf.rsqrt(tf.add(get(`${name}.norm.running_var`), NORM_EPSILON));
    const shift = tf.neg(tf.mul(get(`${name}.norm.running_mean`), inverse));
    const xhat = scaleShift(activation, inverse, shift);
    return {
      dx: scaleShift(masked, tf.mul(gamma, inverse), tf.scalar(0)),
      dGamma: operations.biasGradient(tf.mul(masked, xhat)),
      dBeta: operations.biasGradient(masked),
    };
  });
  gradients.set(`${name}.norm.weight`, dGamma);
  gradients.set(`${name}.norm.bias`, dBeta);
  return dx;
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

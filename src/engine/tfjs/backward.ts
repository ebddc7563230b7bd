// The backward pass of the network in TensorFlow.js operations. It is written by hand, because the automatic gradient of
// TensorFlow.js would keep many more volumes than the activation and the input of each layer, which are enough.

import type * as tf from '@tensorflow/tfjs-core';
import { core } from './core.js';
import { type Architecture, NORM_EPSILON, upSource } from '../../network/architecture.js';
import { type LayerTrace, type Parameters } from './forward.js';
import { type Operations, scaleShift } from './operations.js';

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

/** Propagates d loss / d logits back through the network; call it within core.tidy. */
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
    return linear ? core.abs(tensor) : tensor;
  };
  const gradients = new Map<string, tf.Tensor>();
  const activations: tf.Tensor[] = [];
  const free = (...tensors: tf.Tensor[]): void => {
    if (!keep) core.dispose(tensors);
  };
  // The gradient at the output of a block so far: the contribution of the skip comes before that of the pooled path.
  const arrived = new Map<string, tf.Tensor5D>();
  const arrive = (block: string, gradient: tf.Tensor5D): void => {
    const other = arrived.get(block);
    arrived.set(block, other ? core.add(other, gradient) : gradient);
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
      arrive(`encoder.${level}`, core.slice(g, [0, 0, 0, 0, width], [-1, -1, -1, -1, -1]));
    const raised = core.slice(g, [0, 0, 0, 0, 0], [-1, -1, -1, -1, width]);
    free(g);
    const source = upSource(architecture, level);
    const below = outputOf(traces, source.side, source.level);
    const up = get(`up.${level}.weight`);
    // The up-convolution is the input gradient of a convolution with stride 2, so the roles are swapped.
    gradients.set(`up.${level}.weight`, filterGradient(raised, below, up.shape, 2));
    gradients.set(`up.${level}.bias`, operations.biasGradient(raised));
    arrive(`${source.side}.${source.level}`, core.conv3d(raised, up, 2, 'same'));
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
  const { dx, dGamma, dBeta } = core.tidy(() => {
    const masked = mask ? operations.applyMask(g, mask) : g;
    if (normalised)
      return operations.normaliseGradient(masked, activation, gamma, normalised.saved, NORM_EPSILON);
    const inverse = core.rsqrt(core.add(get(`${name}.norm.running_var`), NORM_EPSILON));
    const shift = core.neg(core.mul(get(`${name}.norm.running_mean`), inverse));
    const xhat = scaleShift(activation, inverse, shift);
    return {
      dx: scaleShift(masked, core.mul(gamma, inverse), core.scalar(0)),
      dGamma: operations.biasGradient(core.mul(masked, xhat)),
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
  return core
    .engine()
    .runKernel(
      core.Conv3DBackpropFilterV2,
      { x, dy },
      { strides: [strides, strides, strides], pad: 'same', filterShape },
    );
}

function inputGradient(dy: tf.Tensor5D, filter: tf.Tensor5D, inputShape: number[]): tf.Tensor5D {
  return core
    .engine()
    .runKernel(core.Conv3DBackpropInputV2, { dy, filter }, { strides: [1, 1, 1], pad: 'same', inputShape });
}

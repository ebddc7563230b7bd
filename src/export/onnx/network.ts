// A network as an ONNX graph for volumes of any size, with operations that every ONNX Runtime supports.

import { UserError } from '../../errors.js';
import {
  type Architecture,
  type Layer,
  NORM_EPSILON,
  listLayers,
  upSource,
} from '../../network/architecture.js';
import { type Weights, tensorOf } from '../../network/weights.js';
import { MAX_FLOAT16, isFloat16 } from './float16.js';
import { ELEMENT_TYPES, type Constant, type Graph, type Node } from './graph.js';

/** Normalised intensities (N, C, D, H, W). */
const INPUT = 'image';
/** (N, labels, D, H, W) */
const OUTPUT = 'probabilities';

/** How the filters of convolutions are stored. The network computes in float32 either way. */
export type Precision = 'float32' | 'float16';

/** Builds a graph. Each function returns the name of the tensor that it adds. */
interface Builder {
  /** Adds an operation. */
  readonly add: (
    operator: string,
    output: string,
    inputs: readonly string[],
    attributes?: Node['attributes'],
  ) => string;
  /** Stores a float32 tensor. */
  readonly store: (name: string, shape: readonly number[], data: ArrayLike<number>) => string;
  /** Stores the weights of a convolution; the returned tensor is float32. */
  readonly storeFilter: Builder['store'];
  /** Stores sizes of axes. */
  readonly sizes: (name: string, data: readonly number[]) => string;
}

/**
 * The graph of a network in evaluation mode. N, D, H and W are free; D, H and W must be multiples of 2^(levels - 1). With
 * `float16`, weights of convolutions are rounded to half precision, and a Cast converts them back, since few runtimes compute in
 * half precision. For the few numbers of biases and batch norm, a Cast would need more space than it saves. Throws a UserError of
 * kind `data` if a weight is too large for half precision.
 */
export function networkGraph(architecture: Architecture, weights: Weights, precision: Precision): Graph {
  const nodes: Node[] = [];
  const constants: Constant[] = [];
  const builder: Builder = {
    add(operator, output, inputs, attributes = {}) {
      nodes.push({ operator, inputs, output, attributes });
      return output;
    },
    store(name, shape, data) {
      constants.push({ name, type: 'float32', shape, data });
      return name;
    },
    storeFilter(name, shape, data) {
      if (precision === 'float32') return builder.store(name, shape, data);
      const beyond = Array.from(data).find((value) => !isFloat16(value));
      if (beyond !== undefined)
        throw new UserError(
          'data',
          `${name}: found ${beyond}, but half precision ends at ${MAX_FLOAT16}; export without --half`,
        );
      constants.push({ name: `${name}.half`, type: 'float16', shape, data });
      return builder.add('Cast', name, [`${name}.half`], { to: ELEMENT_TYPES.float32 });
    },
    sizes(name, data) {
      constants.push({ name, type: 'int64', shape: [data.length], data });
      return name;
    },
  };
  const blocks = new Map<string, string>();
  let x = INPUT;
  for (const layer of listLayers(architecture)) {
    if (layer.layer === 0) x = addBlockInput(builder, architecture, layer, blocks, weights, x);
    x = addLayer(builder, layer, weights, x);
    blocks.set(`${layer.side}.${layer.level}`, x);
  }
  const logits = addConvolution(builder, weights, { input: x, output: 'head', from: 'head', size: 1 });
  builder.add('Sigmoid', OUTPUT, [logits]);
  return {
    inputs: [{ name: INPUT, shape: ['N', architecture.inputChannels, 'D', 'H', 'W'] }],
    outputs: [{ name: OUTPUT, shape: ['N', architecture.labels, 'D', 'H', 'W'] }],
    constants,
    nodes,
  };
}

/** A convolution with the tensors FROM.weight and FROM.bias; input and output have the same size. */
function addConvolution(
  { add, store, storeFilter }: Builder,
  weights: Weights,
  { input, output, from, size }: { input: string; output: string; from: string; size: 1 | 3 },
): string {
  const [filter, bias] = [tensorOf(weights, `${from}.weight`), tensorOf(weights, `${from}.bias`)];
  return add(
    'Conv',
    output,
    [
      input,
      storeFilter(`${from}.weight`, filter.shape, filter.data),
      store(`${from}.bias`, bias.shape, bias.data),
    ],
    { kernel_shape: [size, size, size], ...(size === 3 && { pads: [1, 1, 1, 1, 1, 1] }) },
  );
}

/**
 * Convolution, ReLU, and batch norm as a scale and a shift. The shift cannot be folded into the next convolution, which pads with
 * zeros after the shift.
 */
function addLayer(builder: Builder, { name, width }: Layer, weights: Weights, input: string): string {
  const from = `${name}.conv`;
  const convolved = addConvolution(builder, weights, { input, output: from, from, size: 3 });
  const activation = builder.add('Relu', `${name}.relu`, [convolved]);
  const { scale, shift } = normAsScaleAndShift(weights, name);
  const shape = [width, 1, 1, 1];
  const stored = [
    builder.store(`${name}.norm.scale`, shape, scale),
    builder.store(`${name}.norm.shift`, shape, shift),
  ] as const;
  const scaled = builder.add('Mul', `${name}.scaled`, [activation, stored[0]]);
  return builder.add('Add', name, [scaled, stored[1]]);
}

/** gamma (a - mean) / sqrt(variance + epsilon) + beta as a * scale + shift. */
function normAsScaleAndShift(weights: Weights, layer: string): { scale: Float64Array; shift: Float64Array } {
  const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
    (what) => tensorOf(weights, `${layer}.norm.${what}`).data,
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const scale = Float64Array.from(
    gamma,
    (value, c) => value / Math.sqrt((variance[c] as number) + NORM_EPSILON),
  );
  const shift = Float64Array.from(beta, (value, c) => value - (mean[c] as number) * (scale[c] as number));
  return { scale, shift };
}

/** The input of a block: the image, the pooled block above, or the up-convolved block below followed by the skip. */
function addBlockInput(
  builder: Builder,
  architecture: Architecture,
  { side, level }: Layer,
  blocks: ReadonlyMap<string, string>,
  weights: Weights,
  image: string,
): string {
  if (side === 'encoder') {
    if (level === 0) return image;
    const above = blocks.get(`encoder.${level - 1}`) as string;
    return builder.add('MaxPool', `pool.${level}`, [above], { kernel_shape: [2, 2, 2], strides: [2, 2, 2] });
  }
  const source = upSource(architecture, level);
  const below = blocks.get(`${source.side}.${source.level}`) as string;
  const raised = addUpConvolution(builder, level, weights, below);
  if (!architecture.skips) return raised;
  return builder.add('Concat', `concat.${level}`, [raised, blocks.get(`encoder.${level}`) as string], {
    axis: 1,
  });
}

/**
 * The up-convolution as a 1x1x1 convolution with eight outputs for each channel, which are then interleaved, since not every
 * runtime has a 3D ConvTranspose. Products and sums are the same. Sizes are computed from the shape of the input.
 */
function addUpConvolution(builder: Builder, level: number, weights: Weights, input: string): string {
  const { add, sizes } = builder;
  const up = `up.${level}`;
  const eight = asEightOutputs(weights, up);
  const voxels = addConvolution(builder, eight, { input, output: `${up}.conv`, from: up, size: 1 });
  const outputs = tensorOf(weights, `${up}.bias`).data.length;
  const coarse = add('Shape', `${up}.coarse`, [input], { start: 2 });
  const doubled = add('Mul', `${up}.doubled`, [coarse, sizes(`${up}.two`, [2])]);
  // In the sizes of a Reshape, 0 keeps the size of the axis.
  const apart = sizes(`${up}.apart`, [0, outputs, 2, 2, 2]);
  const beside = sizes(`${up}.beside`, [0, outputs]);
  const from = add('Concat', `${up}.from`, [apart, coarse], { axis: 0 });
  const to = add('Concat', `${up}.to`, [beside, doubled], { axis: 0 });
  // (N, O, 2, 2, 2, D, H, W) to (N, O, D, 2, H, 2, W, 2)
  const parts = add('Reshape', `${up}.parts`, [voxels, from]);
  const interleaved = add('Transpose', `${up}.interleaved`, [parts], { perm: [0, 1, 5, 2, 6, 3, 7, 4] });
  return add('Reshape', up, [interleaved, to]);
}

/** The tensors (I, O, 2, 2, 2) and (O) of an up-convolution as tensors of a 1x1x1 convolution with outputs (O, 2, 2, 2). */
function asEightOutputs(weights: Weights, up: string): Weights {
  const { shape, data } = tensorOf(weights, `${up}.weight`);
  const bias = tensorOf(weights, `${up}.bias`).data;
  const inputs = shape[0] as number;
  const eight = 8 * bias.length;
  return new Map([
    [
      `${up}.weight`,
      {
        shape: [eight, inputs, 1, 1, 1],
        data: data.map((_, i) => data[(i % inputs) * eight + Math.floor(i / inputs)] as number),
      },
    ],
    [
      `${up}.bias`,
      { shape: [eight], data: Float32Array.from({ length: eight }, (_, i) => bias[i >> 3] as number) },
    ],
  ]);
}

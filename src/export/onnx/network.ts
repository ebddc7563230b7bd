// A network as an ONNX graph, from operations that every ONNX Runtime has, for volumes of any size.

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

/** The graph's input, normalised intensities (N, C, D, H, W), and its output, probabilities (N, labels, D, H, W). */
export const INPUT = 'image';
export const OUTPUT = 'probabilities';

/** How weights are stored. The network computes in float32 either way. */
export type Precision = 'float32' | 'float16';

/** What a graph is put together with. Each function returns the name of the tensor that it adds. */
interface Builder {
  /** An operation. */
  readonly add: (
    operator: string,
    output: string,
    inputs: readonly string[],
    attributes?: Node['attributes'],
  ) => string;
  /** Stored numbers, as float32 to whoever reads them. */
  readonly store: (name: string, shape: readonly number[], data: ArrayLike<number>) => string;
  /** Stored sizes of axes. */
  readonly sizes: (name: string, data: readonly number[]) => string;
}

/**
 * The graph of a network in evaluation mode. N, D, H and W are free; D, H and W have to be multiples of 2^(levels - 1). With
 * `float16` every number is rounded to the nearest half-precision one and read back by a Cast, since few runtimes compute in
 * half precision. Throws a UserError of kind `data` where a number is too large for that.
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
      if (precision === 'float32') {
        constants.push({ name, type: 'float32', shape, data });
        return name;
      }
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
  const head = ['head.weight', 'head.bias'].map((name) => storeTensor(builder, weights, name));
  const logits = builder.add('Conv', 'head', [x, ...head], { kernel_shape: [1, 1, 1] });
  builder.add('Sigmoid', OUTPUT, [logits]);
  return {
    inputs: [{ name: INPUT, shape: ['N', architecture.inputChannels, 'D', 'H', 'W'] }],
    outputs: [{ name: OUTPUT, shape: ['N', architecture.labels, 'D', 'H', 'W'] }],
    constants,
    nodes,
  };
}

function storeTensor(builder: Builder, weights: Weights, name: string): string {
  const { shape, data } = tensorOf(weights, name);
  return builder.store(name, shape, data);
}

/**
 * Convolution, ReLU, batch norm as a scale and a shift. It cannot be folded into the convolution that follows: that one's padding
 * is zeros after the shift.
 */
function addLayer(builder: Builder, { name, width }: Layer, weights: Weights, input: string): string {
  const filter = ['weight', 'bias'].map((what) => storeTensor(builder, weights, `${name}.conv.${what}`));
  const convolved = builder.add('Conv', `${name}.conv`, [input, ...filter], {
    kernel_shape: [3, 3, 3],
    pads: [1, 1, 1, 1, 1, 1],
  });
  const activation = builder.add('Relu', `${name}.relu`, [convolved]);
  const { scale, shift } = normAsScaleAndShift(weights, name);
  const shape = [width, 1, 1, 1];
  const scaled = builder.add('Mul', `${name}.scaled`, [
    activation,
    builder.store(`${name}.norm.scale`, shape, scale),
  ]);
  return builder.add('Add', name, [scaled, builder.store(`${name}.norm.shift`, shape, shift)]);
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

/** A block's input: the image, the pooled block above, or the up-convolved block below with the skip behind it. */
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
 * The up-convolution as a 1x1x1 convolution with eight outputs for each one, which are then put beside each other: not every
 * runtime has a 3D ConvTranspose. The same products and sums; sizes are taken from the input's shape.
 */
function addUpConvolution(builder: Builder, level: number, weights: Weights, input: string): string {
  const { add, store, sizes } = builder;
  const up = `up.${level}`;
  const { shape, data } = tensorOf(weights, `${up}.weight`);
  const bias = tensorOf(weights, `${up}.bias`).data;
  const [inputs, outputs] = shape as [number, number];
  // (I, O, 2, 2, 2) to (O, 2, 2, 2, I)
  const turned = Float32Array.from(
    data,
    (_, i) => data[(i % inputs) * 8 * outputs + Math.floor(i / inputs)] as number,
  );
  const fine = add(
    'Conv',
    `${up}.conv`,
    [
      input,
      store(`${up}.weight`, [8 * outputs, inputs, 1, 1, 1], turned),
      store(
        `${up}.bias`,
        [8 * outputs],
        Float32Array.from({ length: 8 * outputs }, (_, i) => bias[i >> 3] as number),
      ),
    ],
    { kernel_shape: [1, 1, 1] },
  );
  const coarse = add('Shape', `${up}.coarse`, [input], { start: 2 });
  const doubled = add('Mul', `${up}.doubled`, [coarse, sizes(`${up}.two`, [2])]);
  // In a Reshape's sizes 0 keeps the size that the axis has.
  const split = add('Concat', `${up}.split`, [sizes(`${up}.parts`, [0, outputs, 2, 2, 2]), coarse], {
    axis: 0,
  });
  const joined = add('Concat', `${up}.joined`, [sizes(`${up}.whole`, [0, outputs]), doubled], { axis: 0 });
  // (N, O, 2, 2, 2, D, H, W) to (N, O, D, 2, H, 2, W, 2)
  const parts = add('Reshape', `${up}.voxels`, [fine, split]);
  const interleaved = add('Transpose', `${up}.interleaved`, [parts], { perm: [0, 1, 5, 2, 6, 3, 7, 4] });
  return add('Reshape', up, [interleaved, joined]);
}

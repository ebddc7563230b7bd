// Runs ONNX graphs in plain loops and double precision: the few operations that networks are exported with, as the operators'
// reference describes them (operator set 17).

import { elementCount } from '../../../src/network/parameters.js';
import { type ReadModel, type ReadNode } from './read.js';

export interface Numbers {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** The graph's first output for its first input. */
export function interpret({ inputs, outputs, tensors, nodes }: ReadModel, input: Numbers): Numbers {
  const known = new Map<string, Numbers>(tensors.map((tensor) => [tensor.name, tensor]));
  known.set((inputs[0] as { name: string }).name, input);
  const get = (name: string): Numbers => {
    const value = known.get(name);
    if (value === undefined) throw new Error(`${name} is read before it is there`);
    return value;
  };
  for (const node of nodes) {
    const run = OPERATORS[node.operator];
    if (run === undefined) throw new Error(`operator ${node.operator}`);
    const [output] = node.outputs as [string];
    if (known.has(output)) throw new Error(`${output} is computed twice`);
    known.set(output, run(node.inputs.map(get), node));
  }
  return get((outputs[0] as { name: string }).name);
}

type Operator = (inputs: readonly Numbers[], node: ReadNode) => Numbers;

const OPERATORS: Readonly<Record<string, Operator>> = {
  Conv: ([x, weight, bias], { attributes }) =>
    convolve(x as Numbers, weight as Numbers, bias as Numbers, list(attributes.get('pads') ?? [])),
  MaxPool: ([x], { attributes }) => {
    for (const name of ['kernel_shape', 'strides'])
      if (list(attributes.get(name)).join() !== '2,2,2') throw new Error('another pooling');
    return pool(x as Numbers);
  },
  Relu: ([x]) => map(x, (value) => Math.max(0, value)),
  Sigmoid: ([x]) => map(x, (value) => 1 / (1 + Math.exp(-value))),
  Cast: ([x], { attributes }) => {
    if (attributes.get('to') !== 1) throw new Error('a cast to something other than float32');
    return x as Numbers;
  },
  Mul: ([a, b]) => broadcast(a as Numbers, b as Numbers, (p, q) => p * q),
  Add: ([a, b]) => broadcast(a as Numbers, b as Numbers, (p, q) => p + q),
  Concat: (parts, { attributes }) => concat(parts, attributes.get('axis') as number),
  Shape: ([x], { attributes }) => {
    const sizes = (x as Numbers).shape.slice(attributes.get('start') as number);
    return { shape: [sizes.length], data: Float64Array.from(sizes) };
  },
  Reshape: ([x, sizes]) => {
    const { shape, data } = x as Numbers;
    const wanted = Array.from((sizes as Numbers).data, (size, axis) => size || (shape[axis] as number));
    if (elementCount(wanted) !== data.length) throw new Error(`${shape.join()} reshaped to ${wanted.join()}`);
    return { shape: wanted, data };
  },
  Transpose: ([x], { attributes }) => transpose(x as Numbers, list(attributes.get('perm'))),
};

const list = (value: number | readonly number[] | undefined): readonly number[] => value as readonly number[];
const at = (data: Float64Array, i: number): number => data[i] as number;

function map(x: Numbers | undefined, change: (value: number) => number): Numbers {
  const { shape, data } = x as Numbers;
  return { shape, data: data.map(change) };
}

/** Stride 1, zeros around; pads are those before each axis, then those behind. */
function convolve(x: Numbers, weight: Numbers, bias: Numbers, pads: readonly number[]): Numbers {
  const [N, C, D, H, W] = x.shape as [number, number, number, number, number];
  const [O, I, KD, KH, KW] = weight.shape as [number, number, number, number, number];
  if (I !== C || bias.data.length !== O) throw new Error('a convolution of other channels');
  const [pd = 0, ph = 0, pw = 0, ed = 0, eh = 0, ew = 0] = pads;
  const size = [D + pd + ed - KD + 1, H + ph + eh - KH + 1, W + pw + ew - KW + 1] as const;
  const data = new Float64Array(N * O * elementCount(size));
  let to = 0;
  for (let n = 0; n < N; n++)
    for (let o = 0; o < O; o++)
      for (let z = -pd; z < size[0] - pd; z++)
        for (let y = -ph; y < size[1] - ph; y++)
          for (let i = -pw; i < size[2] - pw; i++) {
            let sum = at(bias.data, o);
            for (let c = 0; c < C; c++)
              for (let kz = Math.max(0, -z); kz < Math.min(KD, D - z); kz++)
                for (let ky = Math.max(0, -y); ky < Math.min(KH, H - y); ky++)
                  for (let kx = Math.max(0, -i); kx < Math.min(KW, W - i); kx++)
                    sum +=
                      at(x.data, (((n * C + c) * D + z + kz) * H + y + ky) * W + i + kx) *
                      at(weight.data, (((o * C + c) * KD + kz) * KH + ky) * KW + kx);
            data[to++] = sum;
          }
  return { shape: [N, O, ...size], data };
}

/** The largest of each 2x2x2; what is left over at the end is dropped. */
function pool({ shape, data }: Numbers): Numbers {
  const [N, C, D, H, W] = shape as [number, number, number, number, number];
  const size = [D, H, W].map((length) => length >> 1) as [number, number, number];
  const out = new Float64Array(N * C * elementCount(size)).map((_, i) => {
    const x = i % size[2];
    const y = Math.floor(i / size[2]) % size[1];
    const z = Math.floor(i / (size[2] * size[1])) % size[0];
    const channel = Math.floor(i / elementCount(size));
    const corners = Array.from({ length: 8 }, (_, k) =>
      at(data, ((channel * D + 2 * z + (k >> 2)) * H + 2 * y + ((k >> 1) & 1)) * W + 2 * x + (k & 1)),
    );
    return Math.max(...corners);
  });
  return { shape: [N, C, ...size], data: out };
}

/** Axes are matched from the last one; an axis of 1, or none, is repeated. */
function broadcast(a: Numbers, b: Numbers, combine: (p: number, q: number) => number): Numbers {
  const rank = Math.max(a.shape.length, b.shape.length);
  const padded = ({ shape }: Numbers): number[] => [...Array<number>(rank - shape.length).fill(1), ...shape];
  const [left, right] = [padded(a), padded(b)];
  const shape = left.map((size, axis) => Math.max(size, right[axis] as number));
  const [stepsA, stepsB] = [steps(left), steps(right)].map((all, side) =>
    all.map((step, axis) => ((side === 0 ? left : right)[axis] === 1 ? 0 : step)),
  ) as [number[], number[]];
  const places = steps(shape);
  const data = new Float64Array(elementCount(shape)).map((_, i) => {
    let [p, q] = [0, 0];
    for (const [axis, place] of places.entries()) {
      const index = Math.floor(i / place) % (shape[axis] as number);
      p += index * (stepsA[axis] as number);
      q += index * (stepsB[axis] as number);
    }
    return combine(at(a.data, p), at(b.data, q));
  });
  return { shape, data };
}

/** How far apart two neighbours along each axis lie. */
function steps(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

function concat(parts: readonly Numbers[], axis: number): Numbers {
  const [first] = parts as [Numbers];
  const outer = elementCount(first.shape.slice(0, axis));
  const rest = (shape: readonly number[]): string => shape.filter((_, each) => each !== axis).join();
  if (parts.some(({ shape }) => rest(shape) !== rest(first.shape))) throw new Error('parts of other sizes');
  const pieces = Array.from({ length: outer }, (_, i) =>
    parts.flatMap(({ data }) => {
      const length = data.length / outer;
      return Array.from(data.subarray(i * length, (i + 1) * length));
    }),
  );
  const size = parts.reduce((sum, { shape }) => sum + (shape[axis] as number), 0);
  return {
    shape: first.shape.map((each, i) => (i === axis ? size : each)),
    data: Float64Array.from(pieces.flat()),
  };
}

function transpose({ shape, data }: Numbers, perm: readonly number[]): Numbers {
  const from = steps(shape);
  const turned = perm.map((axis) => shape[axis] as number);
  const to = steps(turned);
  const out = data.map((_, i) => {
    let source = 0;
    for (const [axis, step] of to.entries())
      source += (Math.floor(i / step) % (turned[axis] as number)) * (from[perm[axis] as number] as number);
    return at(data, source);
  });
  return { shape: turned, data: out };
}

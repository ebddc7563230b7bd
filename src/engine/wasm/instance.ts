// A network in its own instance of the WebAssembly module. The memory of an instance never shrinks, so dropping the instance is
// the only way to free a network. All functions block.

import { type FlatNetwork } from '../compiled/flat.js';
import { type CompiledNetwork, type TensorList } from '../compiled/network.js';
import { type WasmMemory, type WasmModule, WebAssembly } from './webassembly.js';

/** The exports of native/wasm/exports.cpp. Pointers are addresses in the memory of the instance; 0 is the null pointer. */
interface Exports {
  readonly memory: WasmMemory;
  _initialize(): void;
  allocate(bytes: number): number;
  release(at: number): void;
  estimateMemory(shape: number, count: number): number;
  countParameters(shape: number, count: number): number;
  create(
    shape: number,
    count: number,
    weights: number,
    targets: number,
    loss: number,
    adam: number,
    step: number,
  ): void;
  channels(): number;
  trainStep(count: number, images: number, labels: number, masks: number, rate: number): number;
  gradients(count: number, images: number, labels: number, masks: number): number;
  synflow(): void;
  evaluate(count: number, images: number, labels: number, overlaps: number): void;
  predict(count: number, images: number, running: number, probabilities: number): void;
  activationSums(
    count: number,
    images: number,
    labels: number,
    masks: number,
    withGradients: number,
    sums: number,
  ): void;
  wasCut(): number;
  tensors(list: TensorList): number;
  stepCount(): number;
  meter(figures: number): void;
}

/** `CompiledNetwork` with results instead of promises. */
export type Instance = {
  readonly [Name in Exclude<keyof CompiledNetwork, 'meter' | 'interrupt' | 'dispose'>]: (
    ...words: Parameters<CompiledNetwork[Name]>
  ) => Awaited<ReturnType<CompiledNetwork[Name]>>;
} & Pick<CompiledNetwork, 'meter'>;

type Numbers = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

async function instantiate(module: WasmModule, interrupted: () => boolean): Promise<Exports> {
  const outOfMemory = (): never => {
    throw new Error('out of memory');
  };
  const lunet = { outOfMemory, interrupted: () => Number(interrupted()), now: () => performance.now() };
  const exports = (await WebAssembly.instantiate(module, { lunet })).exports as Exports;
  exports._initialize();
  return exports;
}

/** A function for `Network::estimate`: the bytes that a network of a flat shape needs. */
export async function openEstimator(module: WasmModule): Promise<(shape: Int32Array) => number> {
  const exports = await instantiate(module, () => false);
  return (shape) =>
    withMemory(exports, (memory) => exports.estimateMemory(memory.put(shape), shape.length)) ||
    fail('shape is malformed');
}

/** Creates a network in its own instance. Calls ask `interrupted` often whether they must end. */
export async function openInstance(
  module: WasmModule,
  network: FlatNetwork,
  interrupted: () => boolean,
): Promise<Instance> {
  const exports = await instantiate(module, interrupted);
  create(exports, network);
  const [inputs = 0, outputs = 0, , depth = 0, height = 0, width = 0, maxBatch = 0] = network.shape;
  const voxels = depth * height * width;
  const channels = exports.channels();
  const parameters = network.weights.length;
  const compute = computeOn(exports);
  const countOf = (images: readonly Float32Array[], labels?: readonly Uint8Array[]): number => {
    const count = images.length;
    if (count < 1 || count > maxBatch || (labels && labels.length !== count))
      fail(`expected 1 to ${maxBatch} cases, found ${count}`);
    for (const image of images) requireLength('image', image, inputs * voxels);
    for (const label of labels ?? []) requireLength('label', label, voxels);
    return count;
  };
  const masksIn = (memory: Memory, count: number, masks: Float32Array | undefined): number => {
    if (masks === undefined) return 0;
    requireLength('masks', masks, count * channels);
    return memory.put(masks);
  };

  return {
    trainStep: (images, labels, masks, rate) =>
      compute((memory) => {
        const count = countOf(images, labels);
        return exports.trainStep(
          count,
          memory.put(...images),
          memory.put(...labels),
          masksIn(memory, count, masks),
          rate,
        );
      }),
    gradients: (images, labels, masks) =>
      compute((memory) => {
        const count = countOf(images, labels);
        return exports.gradients(
          count,
          memory.put(...images),
          memory.put(...labels),
          masksIn(memory, count, masks),
        );
      }),
    synflow: () => compute(() => exports.synflow()),
    evaluate: (images, labels) =>
      compute((memory) => {
        const count = countOf(images, labels);
        const overlaps = new Float64Array(3 * outputs * count);
        const at = memory.take(overlaps.byteLength);
        exports.evaluate(count, memory.put(...images), memory.put(...labels), at);
        return memory.get(at, overlaps);
      }),
    predict: (images, running) =>
      compute((memory) => {
        const count = countOf(images);
        const probabilities = new Float32Array(count * outputs * voxels);
        const at = memory.take(probabilities.byteLength);
        exports.predict(count, memory.put(...images), Number(running), at);
        return memory.get(at, probabilities);
      }),
    activationSums: (images, labels, masks, withGradients) =>
      compute((memory) => {
        const count = countOf(images, labels);
        const sums = new Float64Array(3 * count * channels);
        const at = memory.put(sums);
        exports.activationSums(
          count,
          memory.put(...images),
          memory.put(...labels),
          masksIn(memory, count, masks),
          Number(withGradients),
          at,
        );
        return memory.get(at, sums);
      }),
    read: (list) => compute((memory) => memory.get(exports.tensors(list), new Float32Array(parameters))),
    readStep: () => exports.stepCount(),
    meter: () =>
      withMemory(exports, (memory) => {
        const figures = new Float64Array(6);
        const at = memory.take(figures.byteLength);
        exports.meter(at);
        return memory.get(at, figures);
      }),
  };
}

class Interrupted extends Error {}

/**
 * Runs computing calls; allocates memory before each call and frees it afterwards. A call that fails may leave the instance in any
 * state, so every later call then fails too.
 */
function computeOn(exports: Exports): <T>(use: (memory: Memory) => T) => T {
  let lost: Error | undefined;
  return (use) => {
    if (lost) throw lost;
    try {
      return withMemory(exports, (memory) => {
        const result = use(memory);
        if (exports.wasCut()) throw new Interrupted('interrupted');
        return result;
      });
    } catch (error) {
      if (!(error instanceof Interrupted || error instanceof TypeError)) lost = error as Error;
      throw error;
    }
  };
}

function fail(message: string): never {
  throw new TypeError(`WebAssembly engine: ${message}`);
}

function requireLength(what: string, { length }: Numbers, expected: number): void {
  if (length !== expected) fail(`${what} has ${length} elements, expected ${expected}`);
}

function create(exports: Exports, { shape, weights, targets, loss, adam, moments, step }: FlatNetwork): void {
  withMemory(exports, (memory) => {
    const numbers = memory.put(shape);
    const parameters = exports.countParameters(numbers, shape.length);
    if (parameters === 0) fail('shape is malformed');
    requireLength('weights', weights, parameters);
    requireLength('targets', targets, 256);
    requireLength('loss', loss, 3);
    requireLength('adam', adam, 3);
    exports.create(
      numbers,
      shape.length,
      memory.put(weights),
      memory.put(targets),
      memory.put(loss),
      memory.put(adam),
      step,
    );
    if (moments === undefined) return;
    for (const [list, values] of [
      [2, moments.m],
      [3, moments.v],
    ] as const) {
      requireLength('moments', values, parameters);
      memory.set(exports.tensors(list), values);
    }
  });
}

/** Memory of an instance for the duration of one call. */
interface Memory {
  take(bytes: number): number;
  /** Copies arrays into the memory, one after the other. */
  put(...parts: readonly Numbers[]): number;
  set(at: number, values: Numbers): void;
  /** Fills an array with the numbers at an address, and returns it. */
  get<T extends Numbers>(at: number, values: T): T;
}

function withMemory<T>(exports: Exports, use: (memory: Memory) => T): T {
  const taken: number[] = [];
  // Created for each use, since growing the memory detaches earlier views.
  const bytes = (at: number, length: number): Uint8Array =>
    new Uint8Array(exports.memory.buffer, at >>> 0, length);
  const bytesOf = ({ buffer, byteOffset, byteLength }: Numbers): Uint8Array =>
    new Uint8Array(buffer, byteOffset, byteLength);
  const memory: Memory = {
    take: (length) => {
      const at = exports.allocate(length);
      taken.push(at);
      return at;
    },
    put: (...parts) => {
      const at = memory.take(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
      let end = at;
      for (const part of parts) {
        memory.set(end, part);
        end += part.byteLength;
      }
      return at;
    },
    set: (at, values) => bytes(at, values.byteLength).set(bytesOf(values)),
    get: (at, values) => {
      bytesOf(values).set(bytes(at, values.byteLength));
      return values;
    },
  };
  try {
    return use(memory);
  } finally {
    for (const at of taken) exports.release(at);
  }
}

// The native engine: turns networks, batches and results into the flat arrays that the C++ addon computes on.

import { UserError } from '../../errors.js';
import { type Architecture, totalChannels } from '../../network/architecture.js';
import { elementCount, listTensors } from '../../network/parameters.js';
import { type OptimizerState, type Tensor, type Weights, tensorOf } from '../../network/weights.js';
import {
  type ActivationSums,
  type Engine,
  InterruptedError,
  type Network,
  type NetworkSettings,
  type Overlap,
  type PassMode,
  type Sample,
} from '../engine.js';
import { freeMemory, gibibytes } from '../../memory.js';
import { type Addon, type Handle } from './addon.js';
import { physicalCores } from './cores.js';
import { loadAddon } from './loader.js';

export interface NativeOptions {
  /** Threads; default: all physical cores. */
  readonly threads?: number | undefined;
  /** Instruction set: `avx512`, `avx2` or `baseline`; default: the widest that the machine has. */
  readonly isa?: string | undefined;
}

/**
 * The native engine, where it is built already (`requireAddon` builds it). Throws a UserError of kind `engine` that lists
 * every failed attempt to load it.
 */
export function createNativeEngine(options: NativeOptions = {}): Engine {
  const loaded = loadAddon();
  if (loaded.addon === undefined)
    throw new UserError('engine', `the native engine does not load: ${loaded.attempts.join('; ')}`);
  const { addon } = loaded;
  const available = addon.instructionSets();
  const [widest = 'baseline'] = available;
  const isa = options.isa ?? widest;
  if (!available.includes(isa))
    throw new UserError(
      'engine',
      `instruction set ${isa} is not available on this machine, found: ${available.join(', ')}`,
    );
  const threads = options.threads ?? physicalCores();
  return {
    description: { name: 'native', device: isa, threads },
    estimateMemory: (settings) => estimateMemory(addon, settings, threads),
    load: (settings, weights, optimizer) =>
      Promise.resolve().then(() => {
        requireMemory(estimateMemory(addon, settings, threads), settings);
        requireComputable(settings);
        const names = tensorNames(settings.architecture);
        const handle = addon.create(
          flattenShape(settings),
          flatten(names, weights),
          settings.targets,
          Float32Array.of(settings.adam.beta1, settings.adam.beta2, settings.adam.epsilon),
          optimizer && flatten(names, optimizer.m),
          optimizer && flatten(names, optimizer.v),
          optimizer?.step ?? 0,
          isa,
          threads,
        );
        return nativeNetwork(addon, handle, settings);
      }),
  };
}

/** The machine's peak of multiply-adds in GFLOP/s, measured in registers; takes about a second and blocks. */
export function measurePeak(isa: string, threads: number): number {
  const loaded = loadAddon();
  if (loaded.addon === undefined) throw new UserError('engine', loaded.attempts.join('\n'));
  return loaded.addon.peak(isa, threads);
}

/** A kernel on one thread: the work of a convolution in GFLOP/s, or the traffic of one that moves data in GB/s. */
export interface KernelFigure {
  readonly kernel: string;
  readonly shape: string;
  readonly gflops?: number;
  readonly gigabytes?: number;
}

/** Measures the kernels of an instruction set one by one; takes about a second and blocks. */
export function benchKernels(isa: string): KernelFigure[] {
  const loaded = loadAddon();
  if (loaded.addon === undefined) throw new UserError('engine', loaded.attempts.join('\n'));
  return loaded.addon
    .benchKernels(isa)
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [kernel = '', shape = '', gflops, gigabytes] = line.split('\t');
      return {
        kernel,
        shape,
        ...(Number(gflops) > 0 ? { gflops: Number(gflops) } : { gigabytes: Number(gigabytes) }),
      };
    });
}

/** The largest that the addon computes: voxels of a volume, and cases of a batch. */
const MAX_VOXELS = 2e9;
const MAX_BATCH = 1e6;

/** Bytes that a network takes. For shapes larger than the addon's limits, scaled up from the largest within them. */
function estimateMemory(addon: Addon, settings: NetworkSettings, threads: number): number {
  const [depth, height, width] = settings.size;
  const multiple = 2 ** (settings.architecture.encoder.length - 1);
  const plane = height * width;
  const most = Math.max(multiple, Math.floor(MAX_VOXELS / plane / multiple) * multiple);
  const size = [Math.min(depth, most), height, width] as const;
  const maxBatch = Math.min(settings.maxBatch, MAX_BATCH);
  const factor = (depth / size[0]) * (settings.maxBatch / maxBatch);
  return factor * addon.estimateMemory(flattenShape({ ...settings, size, maxBatch }), threads);
}

/** Throws for sizes beyond what the addon computes, even where there is memory for them. */
function requireComputable({ size, maxBatch }: NetworkSettings): void {
  const voxels = size[0] * size[1] * size[2];
  if (voxels > MAX_VOXELS || maxBatch > MAX_BATCH)
    throw new UserError(
      'engine',
      `found volumes of ${[...size].reverse().join(' x ')} voxels in batches of ${maxBatch}, expected at most ` +
        `${MAX_VOXELS} voxels and ${MAX_BATCH} cases: choose a smaller preprocessing.size or training.batch`,
    );
}

function requireMemory(needed: number, settings: NetworkSettings): void {
  const free = freeMemory();
  if (needed <= free) return;
  const fits = Math.floor((settings.maxBatch * free) / needed);
  throw new UserError(
    'engine',
    `training needs about ${gibibytes(needed)} of memory, ${gibibytes(free)} are free: ` +
      (fits >= 1 ? `set training.batch to ${fits} or less` : 'choose a smaller preprocessing.size or model'),
  );
}

function nativeNetwork(addon: Addon, handle: Handle, settings: NetworkSettings): Network {
  const { architecture, size } = settings;
  const tensors = listTensors(architecture);
  const channels = totalChannels(architecture);
  const voxels = size[0] * size[1] * size[2];
  let disposed = false;
  let running: Promise<unknown> = Promise.resolve();

  // Argument errors are thrown by the addon at once; callers see them as rejections like all others.
  const call = <T>(start: () => Promise<T>): Promise<T> => {
    const result = Promise.resolve()
      .then(() => {
        if (disposed) throw new Error('the network has been disposed');
        return start();
      })
      .catch((error: unknown) => {
        if (error instanceof Error && error.message === 'interrupted') throw new InterruptedError();
        if (error instanceof Error && error.message === 'out of memory')
          throw new UserError('engine', 'the machine ran out of memory: choose a smaller training.batch');
        throw error;
      });
    running = result.catch(() => undefined);
    return result;
  };
  const images = (batch: readonly Sample[]): Float32Array[] => batch.map(({ image }) => image);
  const labels = (batch: readonly Sample[]): Uint8Array[] => batch.map(({ label }) => label);
  const split = (flat: Float32Array, statistics: boolean): Weights => {
    const parts = new Map<string, Tensor>();
    let at = 0;
    for (const { name, shape, role } of tensors) {
      const end = at + elementCount(shape);
      if (statistics || role !== 'statistic') parts.set(name, { shape, data: flat.slice(at, end) });
      at = end;
    }
    return parts;
  };

  return {
    trainStep: (batch, masks, learningRate) =>
      call(() => addon.trainStep(handle, images(batch), labels(batch), masks, learningRate)),
    evaluate: (batch) =>
      call(async () => {
        const overlaps = new Float64Array(3 * architecture.labels * batch.length);
        await addon.evaluate(handle, images(batch), labels(batch), overlaps);
        return batch.map((_, n) => overlapAt(overlaps, n, architecture.labels));
      }),
    predict: (volumes, statistics) =>
      call(async () => {
        // Every element gets written, so none need be zeroed first.
        const count = volumes.length * architecture.labels * voxels;
        const probabilities = new Float32Array(Buffer.allocUnsafeSlow(4 * count).buffer);
        await addon.predict(handle, [...volumes], statistics === 'running', probabilities);
        return probabilities;
      }),
    activationSums: (batch, mode, withGradients) =>
      call(async () => {
        const count = batch.length * channels;
        const sums = new Float64Array(3 * count);
        await addon.activationSums(handle, images(batch), labels(batch), masksOf(mode), withGradients, sums);
        const result: ActivationSums = {
          channels,
          sum: sums.subarray(0, count),
          sumOfSquares: sums.subarray(count, 2 * count),
        };
        return withGradients ? { ...result, gradientProduct: sums.subarray(2 * count) } : result;
      }),
    gradients: (batch, mode) =>
      call(async () => {
        const loss = await addon.gradients(handle, images(batch), labels(batch), masksOf(mode));
        return { loss, gradients: split(addon.read(handle, 1), false) };
      }),
    synflowGradients: () =>
      call(async () => {
        await addon.synflow(handle);
        return split(addon.read(handle, 1), false);
      }),
    readWeights: () => call(() => Promise.resolve(split(addon.read(handle, 0), true))),
    readOptimizerState: () =>
      call(() =>
        Promise.resolve<OptimizerState>({
          step: addon.readStep(handle),
          m: split(addon.read(handle, 2), false),
          v: split(addon.read(handle, 3), false),
        }),
      ),
    meter: () => {
      const figures = addon.meter(handle);
      return (['forward', 'input gradient', 'weight gradient'] as const).map((pass, i) => ({
        pass,
        multiplyAdds: figures[i] as number,
        seconds: figures[3 + i] as number,
      }));
    },
    interrupt: () => {
      if (!disposed) addon.interrupt(handle);
    },
    dispose: () => {
      if (disposed) return;
      disposed = true;
      // The addon refuses to free a network that is computing.
      void running.then(() => addon.dispose(handle));
    },
  };
}

const masksOf = (mode: PassMode): Float32Array | undefined =>
  mode === 'evaluation' ? undefined : mode.masks;

function overlapAt(overlaps: Float64Array, caseIndex: number, count: number): Overlap {
  const pick = (offset: number): Float64Array =>
    Float64Array.from({ length: count }, (_, k) => overlaps[3 * (caseIndex * count + k) + offset] as number);
  return { intersection: pick(0), predicted: pick(1), target: pick(2) };
}

function tensorNames(architecture: Architecture): { name: string; length: number }[] {
  return listTensors(architecture).map(({ name, shape }) => ({ name, length: elementCount(shape) }));
}

/** All tensors side by side in the order of `listTensors`; optimizer state has no statistics, they become zeros. */
function flatten(names: { name: string; length: number }[], weights: Weights): Float32Array {
  const flat = new Float32Array(names.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const { name, length } of names) {
    if (weights.has(name) || !/running_(mean|var)$/.test(name)) {
      const { data } = tensorOf(weights, name);
      if (data.length !== length)
        throw new RangeError(`${name} holds ${data.length} numbers, expected ${length}`);
      flat.set(data, at);
    }
    at += length;
  }
  return flat;
}

/** The shape in the order in which node/addon.cpp reads it. */
function flattenShape({ architecture, size, maxBatch }: NetworkSettings): Int32Array {
  const { inputChannels, labels, skips, encoder, decoder, up } = architecture;
  return Int32Array.from([
    inputChannels,
    labels,
    Number(skips),
    ...size,
    maxBatch,
    encoder.length,
    ...encoder.map((block) => block.length),
    ...decoder.map((block) => block.length),
    ...encoder.flat(),
    ...decoder.flat(),
    ...up,
  ]);
}

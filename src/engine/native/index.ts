// The native engine: networks on the C++ addon.

import { dirname } from 'node:path';
import { UserError } from '../../errors.js';
import { freeMemory } from '../../memory.js';
import { totalChannels } from '../../network/architecture.js';
import { flattenNetwork } from '../compiled/flat.js';
import { estimateMemory, requireComputable, requireMemory } from '../compiled/limits.js';
import { type CompiledNetwork, networkOn } from '../compiled/network.js';
import { type Engine, type NetworkSettings } from '../engine.js';
import { type Addon, type Handle } from './addon.js';
import { readRecord } from './builds.js';
import { physicalCores } from './cores.js';
import { loadAddon } from './loader.js';

export interface NativeOptions {
  /** Threads; default: all physical cores. */
  readonly threads?: number | undefined;
  /** Instruction set: `avx512`, `avx2` or `baseline`; default: the widest of the machine. */
  readonly isa?: string | undefined;
}

/**
 * Creates the native engine, which must already be built (`requireAddon` builds it). Throws a UserError of kind `engine` that
 * lists every failed attempt to load it.
 */
export function createNativeEngine(options: NativeOptions = {}): Engine {
  const loaded = loadAddon();
  if (loaded.addon === undefined)
    throw new UserError('engine', `the native engine does not load: ${loaded.attempts.join('; ')}`);
  const { addon, path } = loaded;
  const build = readRecord(dirname(path))?.compiler;
  const available = addon.instructionSets();
  const [widest = 'baseline'] = available;
  const isa = options.isa ?? widest;
  if (!available.includes(isa))
    throw new UserError(
      'engine',
      `instruction set ${isa} is not available on this machine, found: ${available.join(', ')}`,
    );
  const threads = options.threads ?? physicalCores();
  const bytesFor = (settings: NetworkSettings): number =>
    estimateMemory(settings, (shape) => addon.estimateMemory(shape, threads));
  return {
    description: { name: 'native', device: isa, threads, ...(build !== undefined && { build }) },
    estimateMemory: bytesFor,
    load: (settings, weights, optimizer) =>
      Promise.resolve().then(() => {
        requireMemory(bytesFor(settings), freeMemory(), settings);
        requireComputable(settings);
        const { moments, ...network } = flattenNetwork(settings, weights, optimizer);
        const handle = addon.create(
          network.shape,
          network.weights,
          network.targets,
          network.loss,
          network.adam,
          moments?.m,
          moments?.v,
          network.step,
          isa,
          threads,
        );
        return networkOn(callsOf(addon, handle, settings), settings);
      }),
  };
}

/** The peak rate of multiply-adds of the machine in GFLOP/s, measured in registers; takes about a second and blocks. */
export function measurePeak(isa: string, threads: number): number {
  const loaded = loadAddon();
  if (loaded.addon === undefined) throw new UserError('engine', loaded.attempts.join('\n'));
  return loaded.addon.peak(isa, threads);
}

/** The speed of a kernel on one thread: GFLOP/s for convolutions, GB/s for kernels that move data. */
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

/** The functions of the addon for one network; results are written to arrays that are created here. */
function callsOf(addon: Addon, handle: Handle, { architecture, size }: NetworkSettings): CompiledNetwork {
  const channels = totalChannels(architecture);
  const voxels = size[0] * size[1] * size[2];
  return {
    trainStep: (...words) => addon.trainStep(handle, ...words),
    gradients: (...words) => addon.gradients(handle, ...words),
    synflow: () => addon.synflow(handle),
    evaluate: async (images, labels) => {
      const overlaps = new Float64Array(3 * architecture.labels * images.length);
      await addon.evaluate(handle, images, labels, overlaps);
      return overlaps;
    },
    predict: async (images, running) => {
      // Every element is written, so the array need not be zeroed first.
      const count = images.length * architecture.labels * voxels;
      const probabilities = new Float32Array(Buffer.allocUnsafeSlow(4 * count).buffer);
      await addon.predict(handle, images, running, probabilities);
      return probabilities;
    },
    activationSums: async (images, labels, masks, withGradients) => {
      const sums = new Float64Array(3 * images.length * channels);
      await addon.activationSums(handle, images, labels, masks, withGradients, sums);
      return sums;
    },
    read: (list) => Promise.resolve(addon.read(handle, list)),
    readStep: () => Promise.resolve(addon.readStep(handle)),
    meter: () => addon.meter(handle),
    interrupt: () => addon.interrupt(handle),
    dispose: () => addon.dispose(handle),
  };
}

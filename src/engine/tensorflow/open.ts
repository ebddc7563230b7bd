// Loads the compiled binding and registers it as a backend of TensorFlow.js, without log messages of TensorFlow; the user
// need not set environment variables.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { KernelBackend } from '@tensorflow/tfjs-core';
import { UserError } from '../../errors.js';
import { core } from '../tfjs/core.js';

export interface OpenedTensorFlow {
  readonly backend: KernelBackend;
  readonly version: string;
  /** `gpu` or `cpu`. */
  readonly device: 'gpu' | 'cpu';
  /** Operations executed since the last call, and peak bytes of live tensors. */
  readonly meter: () => { operations: number; peakBytes: number };
}

interface Binding {
  readonly TF_Version: string;
  readonly isUsingGpuDevice: () => boolean;
}

/** Defaults of environment variables that the user has not set; the library reads them when it is loaded. */
const ENVIRONMENT = {
  // Allocate GPU memory when it is needed, instead of all of it at the start.
  TF_FORCE_GPU_ALLOW_GROWTH: 'true',
  // Use deterministic kernels if TensorFlow has them.
  TF_DETERMINISTIC_OPS: '1',
  TF_CUDNN_DETERMINISTIC: '1',
  TF_CPP_MIN_LOG_LEVEL: '2',
} as const;

let opened: OpenedTensorFlow | undefined;

/**
 * Opens a set-up, only once per process. `threads` is the number of threads of one operation. Throws a UserError of kind
 * `engine` if the library does not load.
 */
export function openTensorFlow(
  { quiet, binding, packages }: { quiet: string; binding: string; packages: string },
  { threads, verbose = false }: { threads?: number | undefined; verbose?: boolean } = {},
): OpenedTensorFlow {
  if (opened) return opened;
  for (const [name, value] of Object.entries(ENVIRONMENT)) process.env[name] ??= value;
  if (verbose) process.env['TF_CPP_MIN_LOG_LEVEL'] = '0';
  if (threads !== undefined) {
    process.env['TF_NUM_INTRAOP_THREADS'] = String(threads);
    process.env['TF_NUM_INTEROP_THREADS'] ??= '1';
  }
  const require = createRequire(join(packages, 'package.json'));
  let loaded: Binding;
  let backend: KernelBackend & { readonly isUsingGpuDevice: boolean };
  try {
    const problem = (require(quiet) as { load: (path: string, verbose: boolean) => string | undefined }).load(
      binding,
      verbose,
    );
    if (problem !== undefined) throw new Error(problem);
    loaded = require(binding) as Binding;
    const origin = '@tensorflow/tfjs-node-gpu';
    silently(() => require(`${origin}/dist/register_all_kernels.js`));
    const { NodeJSKernelBackend } = require(`${origin}/dist/nodejs_kernel_backend.js`) as {
      NodeJSKernelBackend: new (binding: Binding, name: string) => typeof backend;
    };
    backend = new NodeJSKernelBackend(loaded, origin);
    meter(backend);
  } catch (error) {
    throw new UserError(
      'engine',
      `${binding}: does not load: ${(error as Error).message.split('\n')[0]}; run: lunet setup tensorflow`,
      { cause: error },
    );
  }
  const device = backend.isUsingGpuDevice ? 'gpu' : 'cpu';
  opened = { backend, version: loaded.TF_Version, device, meter: readMeter };
  return opened;
}

const counts = { operations: 0, peakBytes: 0 };

function readMeter(): { operations: number; peakBytes: number } {
  const read = { ...counts };
  counts.operations = 0;
  counts.peakBytes = 0;
  return read;
}

/** Counts the operations of a backend. */
function meter(backend: KernelBackend): void {
  type Execute = (name: string, ...rest: unknown[]) => unknown;
  const methods = backend as unknown as Record<'executeSingleOutput' | 'executeMultipleOutputs', Execute>;
  for (const method of ['executeSingleOutput', 'executeMultipleOutputs'] as const) {
    const original = methods[method].bind(backend);
    methods[method] = (name, ...rest) => {
      const result = original(name, ...rest);
      counts.operations++;
      counts.peakBytes = Math.max(counts.peakBytes, core.engine().state.numBytes);
      return result;
    };
  }
}

/** Suppresses the console message of TensorFlow.js that two of its packages are loaded. */
function silently(load: () => unknown): void {
  const { warn, log } = console;
  console.warn = console.log = () => undefined;
  try {
    load();
  } finally {
    Object.assign(console, { warn, log });
  }
}

// Chooses an engine by name.

import { UserError } from '../errors.js';
import { choose } from '../config/suggest.js';
import { type Engine } from './engine.js';
import { requireAddon } from './native/provide.js';
import { readInstallation } from './tensorflow/installation.js';

/** Names that `--engine` takes. */
export const ENGINE_NAMES = ['auto', 'native', 'wasm', 'tensorflow', 'webgpu'] as const;

export interface EngineOptions {
  readonly threads?: number | undefined;
  /** Instruction set of the native engine. */
  readonly isa?: string | undefined;
  /** Called when `auto` falls back to a slower engine. */
  readonly warn?: (message: string) => void;
  /** Called when the native engine must be built first. */
  readonly say?: ((message: string) => void) | undefined;
  /** Aborts the build of the native engine. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Creates an engine by name. `auto` is TensorFlow if it is set up and found a GPU, else native, else WebAssembly (with one
 * warning). The native engine is built if necessary. Throws a UserError for an unknown name, or if the chosen engine does
 * not load.
 */
export async function createEngine(name: string, options: EngineOptions = {}): Promise<Engine> {
  choose('--engine', [name], ENGINE_NAMES);
  if (options.isa !== undefined && name !== 'native' && name !== 'auto')
    throw new UserError('usage', `--isa is for the native engine: found --engine ${name}, expected native`);
  switch (name as (typeof ENGINE_NAMES)[number]) {
    case 'native':
      await requireAddon(options);
      return (await import('./native/index.js')).createNativeEngine(options);
    case 'wasm':
      return (await import('./wasm/node.js')).createNodeWasmEngine();
    case 'tensorflow':
      return (await import('./tensorflow/index.js')).createTensorFlowEngine(options);
    case 'webgpu':
      return (await import('./webgpu/index.js')).createWebGpuEngine();
    case 'auto':
      // An instruction set applies only to the native engine.
      return options.isa === undefined ? createBestEngine(options) : createEngine('native', options);
  }
}

/**
 * Creates an estimator of memory for an engine, without opening a GPU: only the processes that compute on it should do that.
 */
export async function createEstimator(
  name: string,
  options: EngineOptions = {},
): Promise<Pick<Engine, 'estimateMemory'>> {
  choose('--engine', [name], ENGINE_NAMES);
  const onGpu = name === 'tensorflow' || name === 'webgpu' || (name === 'auto' && installationWithGpu());
  // All engines on TensorFlow.js give the same estimate.
  return onGpu ? (await import('./tfjs/memory.js')).tfjsEstimator : createEngine(name, options);
}

async function createBestEngine(options: EngineOptions): Promise<Engine> {
  if (installationWithGpu()) {
    try {
      return await createEngine('tensorflow', options);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      options.warn?.(`${error.message}\nTraining runs on the processor instead.`);
    }
  }
  return createEngine((await nativeIsThere(options)) ? 'native' : 'wasm', options);
}

/** Whether there is a native engine; warns if not. */
async function nativeIsThere(options: EngineOptions): Promise<boolean> {
  try {
    await requireAddon(options);
    return true;
  } catch (error) {
    if (!(error instanceof UserError) || error.kind === 'interrupted') throw error;
    options.warn?.(
      `${error.message}. Until then lunet computes with WebAssembly, on one thread and several times slower.`,
    );
    return false;
  }
}

/** Whether TensorFlow was set up and found a GPU; false for a damaged set-up. */
function installationWithGpu(): boolean {
  try {
    return readInstallation()?.device === 'gpu';
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

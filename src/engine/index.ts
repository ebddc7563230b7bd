// Chooses an engine by name.

import { UserError } from '../errors.js';
import { choose } from '../config/suggest.js';
import { type Engine } from './engine.js';
import { requireAddon } from './native/provide.js';
import { readInstallation } from './tensorflow/installation.js';

/** Names that `--engine` takes. */
export const ENGINE_NAMES = ['auto', 'native', 'wasm', 'tensorflow', 'webgpu', 'cpu'] as const;

export interface EngineOptions {
  readonly threads?: number | undefined;
  /** Instruction set of the native engine. */
  readonly isa?: string | undefined;
  /** Told when `auto` falls back to a slower engine. */
  readonly warn?: (message: string) => void;
  /** Told when the native engine is built first. */
  readonly say?: ((message: string) => void) | undefined;
  /** Ends the building of the native engine. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The engine of a name. `auto` is TensorFlow where it is set up and sees a GPU, else native, else TensorFlow.js in
 * JavaScript (with one warning). The native engine is built if it is not there. Throws a UserError for an unknown name,
 * or if the engine asked for does not load.
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
    case 'cpu':
      return (await import('./tfjs/index.js')).createTfjsEngine();
    case 'auto':
      // Who names an instruction set wants no other engine.
      return options.isa === undefined ? createBestEngine(options) : createEngine('native', options);
  }
}

/**
 * What says how much memory a network would take on the engine of a name, without touching a GPU: that belongs to the
 * processes that compute on it.
 */
export async function createEstimator(
  name: string,
  options: EngineOptions = {},
): Promise<Pick<Engine, 'estimateMemory'>> {
  choose('--engine', [name], ENGINE_NAMES);
  const onGpu = name === 'tensorflow' || name === 'webgpu' || (name === 'auto' && installationWithGpu());
  // All that run the network in TensorFlow.js estimate alike.
  return createEngine(onGpu ? 'cpu' : name, options);
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
  return createEngine((await nativeIsThere(options)) ? 'native' : 'cpu', options);
}

/** Whether there is a native engine, with a warning if not. */
async function nativeIsThere(options: EngineOptions): Promise<boolean> {
  try {
    await requireAddon(options);
    return true;
  } catch (error) {
    if (!(error instanceof UserError) || error.kind === 'interrupted') throw error;
    options.warn?.(
      `${error.message}. Until then training runs on TensorFlow.js in JavaScript, which is many times slower.`,
    );
    return false;
  }
}

/** Whether TensorFlow was set up and saw a GPU; a damaged set-up is none. */
function installationWithGpu(): boolean {
  try {
    return readInstallation()?.device === 'gpu';
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

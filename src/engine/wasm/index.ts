// The WebAssembly engine: the C++ code of the native engine on one thread, wherever JavaScript runs. A host provides what depends
// on the platform; node.ts has the host for Node.js.

import { requireComputable, requireMemory, estimateMemory } from '../compiled/limits.js';
import { type FlatNetwork, flattenNetwork } from '../compiled/flat.js';
import { type CompiledNetwork, networkOn } from '../compiled/network.js';
import { activationBytes } from '../../network/cost.js';
import { type Engine, type NetworkSettings } from '../engine.js';
import { openEstimator, openInstance } from './instance.js';
import { type WasmModule, WebAssembly } from './webassembly.js';

/** The platform on which networks are computed. */
export interface WasmHost {
  readonly open: (module: WasmModule, network: FlatNetwork) => Promise<CompiledNetwork>;
  /** Free memory in bytes. */
  readonly freeMemory: () => number;
}

/** The bytes that WebAssembly can address. */
const MOST_BYTES = 2 ** 32;

/** Computes on the calling thread; a page therefore calls it in a worker. Calls block, so they cannot be interrupted. */
const THIS_THREAD: WasmHost = {
  freeMemory: () => MOST_BYTES,
  open: async (module, network) => {
    const { meter, ...functions } = await openInstance(module, network, () => false);
    const later = Object.fromEntries(
      Object.entries(functions).map(([name, compute]) => [
        name,
        (...words: unknown[]) =>
          Promise.resolve().then(() => (compute as (...words: unknown[]) => unknown)(...words)),
      ]),
    ) as Omit<CompiledNetwork, 'meter' | 'interrupt' | 'dispose'>;
    return { ...later, meter, interrupt: () => undefined, dispose: () => undefined };
  },
};

/** The engine from the bytes of lunet.wasm. For other bytes, throws the error of WebAssembly. */
export async function createWasmEngine(bytes: Uint8Array, host: WasmHost = THIS_THREAD): Promise<Engine> {
  const module = await WebAssembly.compile(bytes);
  const estimate = await openEstimator(module);
  const bytesFor = (settings: NetworkSettings): number =>
    computedBytes(settings, estimate) + copiedBytes(settings);
  return {
    description: { name: 'wasm', device: 'simd128', threads: 1 },
    estimateMemory: bytesFor,
    load: async (settings, weights, optimizer) => {
      const needed = bytesFor(settings);
      requireMemory(needed, host.freeMemory(), settings);
      requireMemory(needed, MOST_BYTES, settings, 'WebAssembly has at most 4 GiB');
      requireComputable(settings);
      const network = await host.open(module, flattenNetwork(settings, weights, optimizer));
      return networkOn(network, settings);
    },
  };
}

/**
 * Bytes that the C++ code needs. In WebAssembly it counts in 32 bits, so the estimate for a large batch is scaled up from a batch
 * that fits.
 */
function computedBytes(settings: NetworkSettings, estimate: (shape: Int32Array) => number): number {
  const { architecture, size, maxBatch } = settings;
  // An upper limit: the activations and their gradients.
  const each = 2 * activationBytes(architecture, size[0] * size[1] * size[2]);
  if (each > MOST_BYTES) return maxBatch * each;
  const batch = Math.min(maxBatch, Math.floor(MOST_BYTES / each));
  return (maxBatch / batch) * estimateMemory({ ...settings, maxBatch: batch }, estimate);
}

/** Bytes of a batch and its probabilities in the memory of WebAssembly. */
function copiedBytes({ architecture, size, maxBatch }: NetworkSettings): number {
  return (
    maxBatch * size[0] * size[1] * size[2] * (4 * architecture.inputChannels + 4 * architecture.labels + 1)
  );
}

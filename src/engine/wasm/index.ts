// The engine as WebAssembly: the native engine's C++ on one thread, wherever JavaScript runs. What it needs of where it
// runs is a host's: node.ts beside this file has one for Node.js.

import { requireComputable, requireMemory, estimateMemory } from '../compiled/limits.js';
import { type FlatNetwork, flattenNetwork } from '../compiled/flat.js';
import { type CompiledNetwork, networkOn } from '../compiled/network.js';
import { activationBytes } from '../../network/cost.js';
import { type Engine, type NetworkSettings } from '../engine.js';
import { openEstimator, openInstance } from './instance.js';
import { type WasmModule, WebAssembly } from './webassembly.js';

/** Where networks are computed. */
export interface WasmHost {
  readonly open: (module: WasmModule, network: FlatNetwork) => Promise<CompiledNetwork>;
  /** Bytes that are free. */
  readonly freeMemory: () => number;
}

/** What WebAssembly addresses. */
const MOST_BYTES = 2 ** 32;

/** Computes on the thread that calls, which a page does in a worker of its own: calls block, so none is interrupted. */
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

/** The engine, given the bytes of lunet.wasm. Throws what WebAssembly throws for other bytes. */
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
 * Bytes that the C++ code needs. It counts in 32 bits here, so the estimate for a large batch is scaled up from one that
 * WebAssembly can hold.
 */
function computedBytes(settings: NetworkSettings, estimate: (shape: Int32Array) => number): number {
  const { architecture, size, maxBatch } = settings;
  // An upper limit: the activations and their gradients.
  const each = 2 * activationBytes(architecture, size[0] * size[1] * size[2]);
  if (each > MOST_BYTES) return maxBatch * each;
  const batch = Math.min(maxBatch, Math.floor(MOST_BYTES / each));
  return (maxBatch / batch) * estimateMemory({ ...settings, maxBatch: batch }, estimate);
}

/** A batch and its probabilities within WebAssembly's memory. */
function copiedBytes({ architecture, size, maxBatch }: NetworkSettings): number {
  return (
    maxBatch * size[0] * size[1] * size[2] * (4 * architecture.inputChannels + 4 * architecture.labels + 1)
  );
}

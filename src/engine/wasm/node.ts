// The WebAssembly engine in Node.js. Each network has its own thread, so that signals, progress and locks work while it computes.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { UserError } from '../../errors.js';
import { fsReason } from '../../fs-reason.js';
import { freeMemory } from '../../memory.js';
import { type FlatNetwork } from '../compiled/flat.js';
import { type CompiledNetwork } from '../compiled/network.js';
import { type Engine } from '../engine.js';
import { createWasmEngine } from './index.js';
import { type Reply, type Request, type Start } from './messages.js';
import { type WasmModule } from './webassembly.js';

/** The file of the engine, which scripts/build-wasm.js writes next to this file. */
export const WASM_FILE = fileURLToPath(new URL('./lunet.wasm', import.meta.url));

/** Throws a UserError of kind `engine` if the file of the engine is missing or damaged. */
export async function createNodeWasmEngine(): Promise<Engine> {
  const cure = 'install lunet again; in a checkout: npm run compile';
  let bytes: Uint8Array;
  try {
    bytes = await readFile(WASM_FILE);
  } catch (error) {
    throw new UserError('engine', `${WASM_FILE}: cannot be read (${fsReason(error)}); ${cure}`);
  }
  try {
    return await createWasmEngine(bytes, { open, freeMemory });
  } catch (error) {
    throw new UserError('engine', `${WASM_FILE}: ${(error as Error).message}; ${cure}`);
  }
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

async function open(module: WasmModule, network: FlatNetwork): Promise<CompiledNetwork> {
  const interrupted = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: { module, network, interrupted } satisfies Start,
    // Without the arguments of this process: Node.js may have been started without a file.
    execArgv: [],
  });
  let waiting: Waiting | undefined;
  let lost: Error | undefined;
  let figures: Float64Array | undefined;
  /** Settles the current call. Without a current call, the worker does not keep the process alive. */
  const settle = (with_: (waiting: Waiting) => void): void => {
    worker.unref();
    const settled = waiting;
    waiting = undefined;
    if (settled) with_(settled);
  };
  const lose = (error: Error): void => {
    lost = error;
    settle(({ reject }) => reject(error));
  };
  worker.on('error', lose);
  worker.on('exit', () => lose(new Error('the thread of the WebAssembly engine has ended')));
  worker.on('message', (reply: Reply) => {
    if ('error' in reply) return settle(({ reject }) => reject(reply.error));
    reply.figures?.forEach((value, i) => figures && (figures[i] = (figures[i] as number) + value));
    return settle(({ resolve }) => resolve(reply.value));
  });
  const wait = <T>(): Promise<T> =>
    new Promise<unknown>((resolve, reject) => {
      worker.ref();
      waiting = { resolve, reject };
    }) as Promise<T>;
  const request = <T>(name: Request['name'], ...words: unknown[]): Promise<T> => {
    if (lost) return Promise.reject(lost);
    if (waiting)
      return Promise.reject(
        new Error('WebAssembly engine: the network is busy; await one call before the next'),
      );
    Atomics.store(interrupted, 0, 0);
    worker.postMessage({ name, words, metered: figures !== undefined } satisfies Request);
    return wait<T>();
  };
  await wait();
  return {
    trainStep: (...words) => request('trainStep', ...words),
    gradients: (...words) => request('gradients', ...words),
    synflow: () => request('synflow'),
    evaluate: (...words) => request('evaluate', ...words),
    predict: (...words) => request('predict', ...words),
    activationSums: (...words) => request('activationSums', ...words),
    read: (list) => request('read', list),
    readStep: () => request('readStep'),
    meter: () => {
      const measured = figures ?? new Float64Array(6);
      figures = new Float64Array(6);
      return measured;
    },
    interrupt: () => void Atomics.store(interrupted, 0, 1),
    dispose: () => void worker.terminate(),
  };
}

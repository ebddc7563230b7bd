// The worker thread that computes one network; node.ts starts it.

import { parentPort, workerData } from 'node:worker_threads';
import { type Instance, openInstance } from './instance.js';
import { type Reply, type Request, type Start } from './messages.js';

const { module, network, interrupted } = workerData as Start;

async function open(): Promise<Instance | undefined> {
  try {
    const instance = await openInstance(module, network, () => Atomics.load(interrupted, 0) !== 0);
    answer({ value: undefined });
    return instance;
  } catch (error) {
    answer({ error: error as Error });
    return undefined;
  }
}

function answer(reply: Reply): void {
  const value = 'value' in reply ? reply.value : undefined;
  // Every array is already a copy, so it can be transferred.
  parentPort?.postMessage(reply, ArrayBuffer.isView(value) ? [value.buffer as ArrayBuffer] : []);
}

function compute(instance: Instance, { name, words, metered }: Request): Reply {
  try {
    if (metered) instance.meter();
    const value = (instance[name] as (...words: readonly unknown[]) => unknown)(...words);
    return { value, figures: metered ? instance.meter() : undefined };
  } catch (error) {
    return { error: error as Error };
  }
}

const instance = await open();
if (instance !== undefined)
  parentPort?.on('message', (request: Request) => answer(compute(instance, request)));

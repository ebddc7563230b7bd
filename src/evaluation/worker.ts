// A worker thread that measures cases, one at a time.

import { parentPort, workerData } from 'node:worker_threads';
import { ShortOfMemory, roomWithin } from '../data/room.js';
import { UserError } from '../errors.js';
import { type Answer, type Question, type WorkerSettings } from './cases.js';
import { evaluateCase } from './files.js';

if (parentPort === null) throw new Error('worker.js runs in a worker thread only');
const port = parentPort;
const { settings, share } = workerData as WorkerSettings;

async function answer(paths: Question): Promise<void> {
  try {
    const result = await evaluateCase(paths, settings, roomWithin(share));
    port.postMessage({ id: paths.id, result } satisfies Answer);
  } catch (error) {
    const memory = error instanceof RangeError && /allocation failed|array length/i.test(error.message);
    // Any other error is a bug. Thrown again, it keeps its stack and becomes an uncaught error.
    if (!(error instanceof UserError) && !memory) throw error;
    if (share !== undefined && (memory || error instanceof ShortOfMemory))
      port.postMessage({ id: paths.id, short: true } satisfies Answer);
    else
      port.postMessage({
        id: paths.id,
        problem: memory ? `${paths.id}: there is not enough memory to measure this case` : error.message,
      } satisfies Answer);
  }
}

port.on('message', (question: Question) => void answer(question));

// A worker thread: prepares the cases it is sent, one at a time, and sends their voxels back without a copy.

import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../errors.js';
import { prepareCase } from './case.js';
import { type Answer, type Question, type WorkerSettings } from './prepare.js';
import { ShortOfMemory } from './room.js';

if (parentPort === null) throw new Error('worker.js runs in a worker thread only');
const port = parentPort;
const { config, share } = workerData as WorkerSettings;

async function answer({ index, source }: Question): Promise<void> {
  try {
    const prepared = await prepareCase(source, config, share);
    port.postMessage({ index, prepared } satisfies Answer, [prepared.bytes]);
  } catch (error) {
    // A bug keeps its stack: it goes the way of uncaught errors.
    if (!(error instanceof UserError)) throw error;
    const answer = error instanceof ShortOfMemory ? { short: true as const } : { problem: error.message };
    port.postMessage({ index, ...answer } satisfies Answer);
  }
}

port.on('message', (question: Question) => void answer(question));

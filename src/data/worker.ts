// A worker thread: receives cases one at a time, prepares them, and returns their voxels without a copy.

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
    // Other errors are bugs: rethrown, so that they keep their stack.
    if (!(error instanceof UserError)) throw error;
    const answer = error instanceof ShortOfMemory ? { short: true as const } : { problem: error.message };
    port.postMessage({ index, ...answer } satisfies Answer);
  }
}

port.on('message', (question: Question) => void answer(question));

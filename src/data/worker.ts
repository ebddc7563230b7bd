// A worker thread: receives cases one at a time, prepares them, and returns their voxels without a copy or writes them to files.

import { parentPort, workerData } from 'node:worker_threads';
import { type Question, type WorkerSettings, answerTo } from './prepare.js';

if (parentPort === null) throw new Error('worker.js runs in a worker thread only');
const port = parentPort;
const { config, share } = workerData as WorkerSettings;

async function answer(question: Question): Promise<void> {
  // Errors that are bugs are rethrown, so that they keep their stack.
  const answer = await answerTo(question, config, share);
  port.postMessage(answer, 'prepared' in answer ? [answer.prepared.bytes] : []);
}

port.on('message', (question: Question) => void answer(question));

// A worker thread: inspects the cases that it is sent, one at a time.

import { parentPort } from 'node:worker_threads';
import { UserError } from '../../errors.js';
import { inspectCase } from './case-facts.js';
import { type Answer, type Question } from './dataset-facts.js';

if (parentPort === null) throw new Error('worker.js runs in a worker thread only');
const port = parentPort;

async function answer(files: Question): Promise<void> {
  try {
    port.postMessage({ id: files.id, found: await inspectCase(files) } satisfies Answer);
  } catch (error) {
    // Other errors are bugs: rethrown, so that they keep their stack.
    if (!(error instanceof UserError)) throw error;
    port.postMessage({ id: files.id, problem: error.message } satisfies Answer);
  }
}

port.on('message', (question: Question) => void answer(question));

// Worker threads that answer questions, each thread one at a time; answers arrive in any order.

import { Worker } from 'node:worker_threads';
import { UserError } from './errors.js';

interface Pool<Question, Answer> {
  /** The module that each thread runs; it posts one answer for each question. */
  readonly module: URL;
  readonly workerData: unknown;
  readonly questions: readonly Question[];
  /** The name of a question in errors. */
  readonly nameOf: (question: Question) => string;
  readonly threads: number;
  /** Called with each answer. */
  readonly take: (answer: Answer) => void;
  /** Stops the work; its reason is thrown. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Asks all questions. Rejects with a UserError of kind `data` that names the question for which a thread had no memory, and
 * with what a thread threw.
 */
export async function askWorkers<Question, Answer>({
  module,
  workerData,
  questions,
  nameOf,
  threads,
  take,
  signal,
}: Pool<Question, Answer>): Promise<void> {
  if (questions.length === 0) return;
  signal?.throwIfAborted();
  const workers: Worker[] = [];
  let next = 0;
  let stop = (): void => undefined;
  const work = new Promise<void>((resolve, reject) => {
    let busy = Math.min(threads, questions.length);
    stop = () => reject(signal?.reason as Error);
    signal?.addEventListener('abort', stop, { once: true });
    for (let i = busy; i > 0; i--) {
      const worker = new Worker(module, { workerData });
      workers.push(worker);
      let current = '';
      const ask = (): void => {
        const question = questions[next++];
        if (question !== undefined) {
          current = nameOf(question);
          worker.postMessage(question);
        } else if (--busy === 0) resolve();
      };
      worker.on('message', (answer: Answer) => {
        take(answer);
        ask();
      });
      worker.on('error', (error) => {
        reject(
          (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY'
            ? new UserError('data', `${current}: there is not enough memory to read this case`)
            : error,
        );
      });
      worker.on('exit', (code) =>
        reject(new Error(`the thread that read ${current} ended with code ${code}`)),
      );
      ask();
    }
  });
  try {
    await work;
  } finally {
    signal?.removeEventListener('abort', stop);
    // Also frees the memory of the threads.
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

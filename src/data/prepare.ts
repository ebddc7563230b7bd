// All cases of a dataset read and preprocessed, in worker threads where that pays.

import { availableParallelism } from 'node:os';
import { type Experiment } from '../config/schema.js';
import { UserError } from '../errors.js';
import { freeMemory } from '../memory.js';
import { askWorkers } from '../worker-pool.js';
import { type CaseSource, type PreparedCase, prepareCase } from './case.js';
import { throwAll } from './layouts/pairing.js';

/** What a worker is asked. */
export interface Question {
  readonly index: number;
  readonly source: CaseSource;
}

/** What it answers; `short` where the case does not fit into the worker's share of memory. */
export type Answer = { readonly index: number } & (
  { readonly prepared: PreparedCase } | { readonly problem: string } | { readonly short: true }
);

/** What a worker is started with. */
export interface WorkerSettings {
  readonly config: Experiment;
  /** Bytes of memory that it may take for a case. */
  readonly share: number;
}

export interface PrepareOptions {
  /** Threads; default: one a processor. With 1 there is no thread but this one. */
  readonly jobs?: number | undefined;
  /** Bytes of memory that each of several threads may take for a case; default: its part of what is free. */
  readonly share?: number | undefined;
  /** Called after each case. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
  /** Stops the work; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

// More threads than this only wait for the disk.
const MAX_JOBS = 16;

/**
 * Prepares all cases; the order of the result is that of the sources, whatever the number of threads. Throws a
 * UserError of kind `data` that names every bad file at once.
 */
export async function prepareCases(
  sources: readonly CaseSource[],
  config: Experiment,
  { jobs = Math.min(availableParallelism(), MAX_JOBS), share, progress, signal }: PrepareOptions = {},
): Promise<PreparedCase[]> {
  signal?.throwIfAborted();
  const cases = new Array<PreparedCase>(sources.length);
  const problems: string[] = [];
  const large: number[] = [];
  let answered = 0;
  const take = (answer: Answer): void => {
    if ('short' in answer) {
      large.push(answer.index);
      return;
    }
    if ('prepared' in answer) cases[answer.index] = answer.prepared;
    else problems.push(answer.problem);
    progress?.(++answered, sources.length);
  };
  const threads = Math.min(jobs, sources.length);
  const all = [...sources.keys()];
  if (threads > 1) {
    await askWorkers<Question, Answer>({
      module: new URL('./worker.js', import.meta.url),
      workerData: { config, share: share ?? freeMemory() / threads } satisfies WorkerSettings,
      questions: all.map((index) => ({ index, source: sources[index] as CaseSource })),
      nameOf: ({ source }) => source.id,
      threads,
      take,
      signal,
    });
  }
  // What is too large beside others may do by itself.
  await prepareHere(sources, threads > 1 ? large.sort((a, b) => a - b) : all, config, take, signal);
  throwAll(problems.sort());
  return cases;
}

/** Prepares the cases of these indices one after the other. */
async function prepareHere(
  sources: readonly CaseSource[],
  indices: readonly number[],
  config: Experiment,
  take: (answer: Answer) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const index of indices) {
    // Gives signals and timers a turn between cases.
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    try {
      take({ index, prepared: await prepareCase(sources[index] as CaseSource, config) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      take({ index, problem: error.message });
    }
  }
}

// Reads and preprocesses all cases of a dataset, in worker threads if this is worthwhile.

import { availableParallelism } from 'node:os';
import { type Experiment } from '../config/schema.js';
import { UserError } from '../errors.js';
import { freeMemory } from '../memory.js';
import { askWorkers } from '../worker-pool.js';
import { type CaseSource, type PreparedCase, prepareCase } from './case.js';
import { throwAll } from './layouts/pairing.js';

/** A request to a worker. */
export interface Question {
  readonly index: number;
  readonly source: CaseSource;
}

/** The answer of a worker; `short` if the case does not fit into the worker's share of memory. */
export type Answer = { readonly index: number } & (
  { readonly prepared: PreparedCase } | { readonly problem: string } | { readonly short: true }
);

/** The settings of a worker. */
export interface WorkerSettings {
  readonly config: Experiment;
  /** Bytes of memory that the worker may use for a case. */
  readonly share: number;
}

export interface PrepareOptions {
  /** Number of threads; default: one per processor. With 1, only the calling thread is used. */
  readonly jobs?: number | undefined;
  /** Bytes of memory that each of several threads may use for a case; default: an equal share of the free memory. */
  readonly share?: number | undefined;
  /** Called after each case. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
  /** Stops the work; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

// With more threads than this, threads only wait for the disk.
const MAX_JOBS = 16;

/**
 * Prepares all cases; the result has the order of the sources, for any number of threads. Throws a UserError of kind `data`
 * that names all bad files.
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
  // Cases that are too large while others are read may fit alone.
  await prepareHere(sources, threads > 1 ? large.sort((a, b) => a - b) : all, config, take, signal);
  throwAll(problems.sort());
  return cases;
}

/** Prepares the cases with these indices one by one. */
async function prepareHere(
  sources: readonly CaseSource[],
  indices: readonly number[],
  config: Experiment,
  take: (answer: Answer) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const index of indices) {
    // Lets signals and timers run between cases.
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

// Reads and preprocesses all cases of a dataset, in worker threads if this is worthwhile.

import { availableParallelism } from 'node:os';
import { type Experiment } from '../config/schema.js';
import { UserError } from '../errors.js';
import { freeMemory } from '../memory.js';
import { askWorkers } from '../worker-pool.js';
import { type CaseSource, type PreparedCase, prepareCase } from './case.js';
import { throwAll } from './layouts/pairing.js';
import { ShortOfMemory } from './room.js';
import { storeCase } from './store/store-case.js';

/** A case to prepare: its voxels are returned, or written to `file`. */
export interface Wanted {
  readonly source: CaseSource;
  readonly file?: string | undefined;
}

/** A request to a worker. */
export interface Question extends Wanted {
  readonly index: number;
}

/** What became of a case; `short` if it does not fit into the worker's share of memory. */
type Result =
  | { readonly prepared: PreparedCase }
  | { readonly stored: true }
  | { readonly problem: string; readonly kind: 'data' | 'disk' }
  | { readonly short: true };

/** The answer of a worker. */
export type Answer = { readonly index: number } & Result;

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
  options: PrepareOptions = {},
): Promise<PreparedCase[]> {
  const cases = new Array<PreparedCase>(sources.length);
  await prepareAll(
    sources.map((source) => ({ source })),
    config,
    options,
    (index, prepared) => (cases[index] = prepared),
  );
  return cases;
}

/** Prepares cases into files; no thread has more than one in memory. Throws as `prepareCases` does, or of kind `disk`. */
export async function prepareFiles(
  wanted: readonly (Wanted & { readonly file: string })[],
  config: Experiment,
  options: PrepareOptions = {},
): Promise<void> {
  await prepareAll(wanted, config, options, () => undefined);
}

async function prepareAll(
  wanted: readonly Wanted[],
  config: Experiment,
  { jobs = Math.min(availableParallelism(), MAX_JOBS), share, progress, signal }: PrepareOptions,
  keep: (index: number, prepared: PreparedCase) => void,
): Promise<void> {
  signal?.throwIfAborted();
  const problems = { data: [] as string[], disk: [] as string[] };
  const large: number[] = [];
  let answered = 0;
  const take = (answer: Answer): void => {
    if ('short' in answer) {
      large.push(answer.index);
      return;
    }
    if ('prepared' in answer) keep(answer.index, answer.prepared);
    else if ('problem' in answer) problems[answer.kind].push(answer.problem);
    progress?.(++answered, wanted.length);
  };
  const threads = Math.min(jobs, wanted.length);
  const questions = wanted.map((one, index): Question => ({ ...one, index }));
  if (threads > 1) {
    await askWorkers<Question, Answer>({
      module: new URL('./worker.js', import.meta.url),
      workerData: { config, share: share ?? freeMemory() / threads } satisfies WorkerSettings,
      questions,
      nameOf: ({ source }) => source.id,
      threads,
      take,
      signal,
    });
  }
  // Cases that are too large while others are read may fit alone.
  const left =
    threads > 1 ? large.sort((a, b) => a - b).map((index) => questions[index] as Question) : questions;
  for (const question of left) {
    // Lets signals and timers run between cases.
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    take(await answerTo(question, config));
  }
  if (problems.disk[0] !== undefined) throw new UserError('disk', problems.disk[0]);
  throwAll(problems.data.sort());
}

/** Prepares a case within a share of memory, in bytes. Rejects only for errors that are bugs. */
export async function answerTo(
  { index, source, file }: Question,
  config: Experiment,
  share?: number,
): Promise<Answer> {
  try {
    if (file === undefined) return { index, prepared: await prepareCase(source, config, share) };
    await storeCase(source, file, config, share);
    return { index, stored: true };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (error instanceof ShortOfMemory) return { index, short: true };
    return { index, problem: error.message, kind: error.kind === 'disk' ? 'disk' : 'data' };
  }
}

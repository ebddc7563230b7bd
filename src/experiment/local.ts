// Does the runs of an experiment on this machine, several at a time, each in a separate process, so that a crash affects
// only one run.

import { spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Experiment } from '../config/schema.js';
import { EXIT, UserError } from '../errors.js';
import { quoteWord } from '../quote-word.js';
import { diskError, makeFolder } from '../runs/commit.js';
import { isLocked } from '../runs/lock/lock.js';
import { type Task } from './tasks.js';
import { SUPERVISED } from './supervision.js';
import { ATTEMPT, lastError, logFile, taskState } from './state.js';

export const LUNET = fileURLToPath(new URL('../../../bin/lunet.js', import.meta.url));

/** What the process of a run sends to its parent. */
export interface ProgressMessage {
  readonly done: number;
  readonly total: number;
  readonly detail: string;
}

export interface LocalOptions {
  /** Runs at a time. */
  readonly jobs: number;
  /** Config (a file that does not change), engine and threads for each command line. */
  readonly argv: readonly string[];
  readonly signal: AbortSignal;
}

/** Callbacks for events. */
export interface Watcher {
  readonly progress: (task: Task, message: ProgressMessage) => void;
  readonly ended: (task: Task, failure: Failure | undefined) => void;
}

export interface Failure {
  readonly message: string;
  /** The exit code, if the process had one. */
  readonly code: number | undefined;
}

/**
 * Does each task once; a failed task does not stop the others. A retraining run starts when its pruning run has ended.
 * When `signal` aborts, asks running processes to stop and starts no more. Resolves when all have ended.
 */
export async function runLocally(
  config: Experiment,
  tasks: readonly Task[],
  options: LocalOptions,
  watch: Watcher,
): Promise<void> {
  const waiting = new Set(tasks);
  const running = new Map<Task, Promise<void>>();
  const blocked = ({ retrains }: Task): boolean =>
    retrains !== undefined && [...waiting, ...running.keys()].some(({ id }) => id === retrains.pruning.id);
  while (!options.signal.aborted && (waiting.size > 0 || running.size > 0)) {
    for (const task of waiting) {
      if (running.size >= options.jobs) break;
      if (blocked(task)) continue;
      waiting.delete(task);
      const end = runTask(config, task, options, watch).then((failure) => {
        running.delete(task);
        // A stopped process is not a failure: the same command resumes its run.
        if (!options.signal.aborted || failure === undefined) watch.ended(task, failure);
      });
      running.set(task, end);
    }
    await Promise.race(running.values());
  }
  await Promise.all(running.values());
}

async function runTask(
  config: Experiment,
  task: Task,
  options: LocalOptions,
  watch: Watcher,
): Promise<Failure | undefined> {
  const { retrains } = task;
  if (retrains) {
    const pruning = taskState(retrains.pruning).state;
    if (['missing', 'interrupted', 'stopped', 'unreadable'].includes(pruning))
      return { message: `its pruning run has not finished (${retrains.pruning.folder})`, code: EXIT.failed };
    if (taskState(task).state === 'unreachable') return undefined;
  }
  // An earlier process that was just told to stop may still be writing its checkpoint.
  for (let waited = 0; isLocked(task.folder) && waited < 30_000 && !options.signal.aborted; waited += 200)
    await sleep(200);
  if (options.signal.aborted) return { message: 'interrupted', code: EXIT.interrupted };
  const failure = await startProcess(config, task, options, watch);
  if (failure !== undefined) return failure;
  const { state, record } = taskState(task);
  return state === 'diverged'
    ? { message: `diverged at ${record?.divergedAt}`, code: EXIT.engine }
    : undefined;
}

function startProcess(
  config: Experiment,
  task: Task,
  { argv, signal }: LocalOptions,
  watch: Watcher,
): Promise<Failure | undefined> {
  const path = logFile(config, task);
  const line = [...task.argv, ...argv];
  let log: number;
  try {
    log = openLog(path, line);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return Promise.resolve({ message: error.message, code: EXIT.disk });
  }
  return new Promise((resolve) => {
    // In its own process group, so that Ctrl-C reaches it only once, through this process.
    const child = spawn(process.execPath, [LUNET, ...line], {
      stdio: ['ignore', log, log, 'ipc'],
      detached: true,
      env: supervised(),
    });
    closeSync(log);
    const stop = (): void => void child.kill('SIGTERM');
    signal.addEventListener('abort', stop);
    child.on('message', (message) => watch.progress(task, message as ProgressMessage));
    const end = (failure: Failure | undefined): void => {
      signal.removeEventListener('abort', stop);
      resolve(failure);
    };
    child.on('error', (error) => end({ message: `could not be started: ${error.message}`, code: undefined }));
    child.on('exit', (code, killer) => {
      if (code === EXIT.done) return end(undefined);
      if (code === EXIT.interrupted) return end({ message: 'interrupted', code });
      const why =
        killer === null
          ? (lastError(path) ?? `ended with exit code ${code}`)
          : `was killed by ${killer}${killer === 'SIGKILL' ? ', perhaps because memory ran out' : ''}`;
      return end({ message: `${why} (${path})`, code: code ?? undefined });
    });
  });
}

/** Opens the log of a run and writes the line that begins this attempt. Throws a UserError of kind `disk`. */
function openLog(path: string, line: readonly string[]): number {
  makeFolder(dirname(path));
  let log: number;
  try {
    log = openSync(path, 'a');
  } catch (error) {
    throw diskError(path, error);
  }
  try {
    writeSync(log, `\n${ATTEMPT}${line.map(quoteWord).join(' ')}\n`);
  } catch {
    // Perhaps a full disk: the run itself finds out whether it can continue.
  }
  return log;
}

/** The environment of a process that ends when this one does and reads a kept config. */
export function supervised(): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => name !== 'LUNET_OUTPUT');
  return { ...Object.fromEntries(others), [SUPERVISED]: '1' };
}

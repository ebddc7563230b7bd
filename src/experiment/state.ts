// The state and progress of each run of an experiment, from its folder.

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Experiment } from '../config/schema.js';
import { UserError } from '../errors.js';
import { possibleRemovals } from '../network/surgery.js';
import { peekProgress } from '../runs/checkpoint.js';
import { FILES, experimentFolder } from '../runs/folders.js';
import { isLocked } from '../runs/lock/lock.js';
import { otherRun, runKey } from '../runs/identity.js';
import { type RunRecord, readRun } from '../runs/run.js';
import { differenceTo } from './collect.js';
import { type Task } from './tasks.js';

/**
 * `missing`: not started; `running`: a process works on it; `interrupted`: it was asked to stop, and resumes when started
 * again; `stopped`: the same, but its process was killed; `unreadable`: no permission to read its record; `unreachable`: a
 * retraining run whose snapshot does not exist because its pruning run ended earlier.
 */
export type TaskState =
  'missing' | 'running' | 'interrupted' | 'stopped' | 'unreadable' | 'finished' | 'diverged' | 'unreachable';

/** Whether nothing remains to be done for a run. */
export const isOver = (state: TaskState): boolean =>
  state === 'finished' || state === 'diverged' || state === 'unreachable';

/** The state of a run, its record if it has one, and the problem if the record cannot be read. */
export function taskState(task: Task): { state: TaskState; record: RunRecord | undefined; damage?: string } {
  const { record, damage, denied } = readIfIntact(task.folder);
  if (damage !== undefined) return { state: denied ? 'unreadable' : 'stopped', record, damage };
  if (record?.status === 'finished' || record?.status === 'diverged') return { state: record.status, record };
  if (isLocked(task.folder)) return { state: 'running', record };
  if (record) return { state: record.status === 'interrupted' ? 'interrupted' : 'stopped', record };
  const pruned = task.retrains && readIfIntact(task.retrains.pruning.folder).record;
  const ended =
    pruned?.status === 'diverged' ||
    (pruned?.pruning && pruned.pruning.snapshots[String(task.retrains?.percent)] === undefined);
  return { state: ended ? 'unreachable' : 'missing', record };
}

function readIfIntact(folder: string): { record: RunRecord | undefined; damage?: string; denied?: boolean } {
  try {
    return { record: readRun(folder) };
  } catch (error) {
    if (error instanceof UserError)
      return { record: undefined, damage: error.message, denied: error.cause !== undefined };
    throw error;
  }
}

/** Throws a UserError of kind `usage` if a run was started with settings that differ from the config. */
export function requireSameSettings(config: Experiment, tasks: readonly Task[]): void {
  for (const { folder } of tasks) {
    const { record } = readIfIntact(folder);
    const difference = record && differenceTo(config, record);
    if (difference !== undefined) throw otherRun(folder, difference);
  }
}

/** The progress of a run: epochs or removals, done and total. */
export function taskProgress(
  config: Experiment,
  { kind, architecture }: Task,
  run: { readonly folder: string; readonly record: RunRecord | undefined },
): { done: number; total: number; unit: string } {
  const { folder, record } = run;
  const over = record?.status === 'finished';
  const at =
    record && !over
      ? peekProgress<{ epoch?: number; removals?: unknown[] }>(folder, runKey(record))
      : undefined;
  if (kind === 'prune') {
    const total = possibleRemovals(architecture);
    return { done: record?.pruning?.removals.length ?? at?.removals?.length ?? 0, total, unit: 'removals' };
  }
  const total = kind === 'retrain' ? config.retraining.epochs : config.training.epochs;
  return { done: over ? total : (at?.epoch ?? 0), total, unit: 'epochs' };
}

/** The log file for the output of a run that `lunet run` starts. */
export function logFile(config: Experiment, task: Task): string {
  return join(experimentFolder(config), 'logs', `${task.id}.log`);
}

/** The line that begins each attempt in a log. */
export const ATTEMPT = '$ lunet ';

/**
 * The error message of the last attempt of a run, if it failed; an interruption is not an error. If the record in `folder` is
 * newer than the log, the log is ignored.
 */
export function lastError(log: string, folder?: string): string | undefined {
  const text = readLog(log);
  if (text === undefined) return undefined;
  const later = folder === undefined ? undefined : modifiedMs(join(folder, FILES.record));
  if (later !== undefined && later > (modifiedMs(log) ?? 0) + TIMES_MS) return undefined;
  const attempt = text.split(`\n${ATTEMPT}`).at(-1) as string;
  const at = attempt.lastIndexOf('error: ');
  const message = attempt.slice(at + 'error: '.length).trim();
  return at < 0 || /^interrupted\b/.test(message) ? undefined : message;
}

/** Some file systems store times with a resolution of two seconds. */
const TIMES_MS = 2000;

/** The text of a log; undefined if there is none or it cannot be read. */
function readLog(path: string): string | undefined {
  try {
    return statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

function modifiedMs(path: string): number | undefined {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
}

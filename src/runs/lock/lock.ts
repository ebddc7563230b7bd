// Only one process works on a run: the lock on the folder of a run, and how it is taken over from a dead process.
//
// Locks are files lock.1, lock.2, ... that appear with their content in one step (a hard link); an existing number cannot
// be linked again. To take over a lock, a process links the number after that of the dead process. It holds the run only if
// it then finds no other lock that may belong to a living process. Two processes that see each other both withdraw and try
// again. Replacing the file of the dead process under the same name would be unsafe: between check and removal it may have
// become the file of a living process.
//
// The system knows whether a process of this machine and container is alive (by number and start time). Any other process
// is known only by its heartbeat: a counter in its lock file, which a thread increments. If the counter does not change for
// a minute, the process counts as dead; this counts repeated looks and does not rely on clocks. A holder that was only
// suspended notices the lost lock before it writes its next file, and ends (fencing).

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { UserError } from '../../errors.js';
import { failpoint, guardFolder } from '../commit.js';
import type { Heart } from './heartbeat.js';
import { type Lock, appear, describe, holds, readLocks } from './lock-file.js';
import { isNear, lifeOf, thisProcess } from './owner.js';

const TRIES = 20;
/** Looks without a heartbeat before the holder counts as dead, if nothing else is known about it. */
const LOOKS = 60;
/** The same if Slurm says that the job of the holder has ended. Not 0: the Slurm of another cluster does not know the job. */
const LOOKS_ENDED = 15;
/** The same for an empty lock: its writer was killed, or is writing it now. */
const LOOKS_EMPTY = 2;
/** For a single look: the holder of a lock that has not changed for this long counts as dead. */
const SILENT_MS = 120_000;

/** A lock that is watched for a heartbeat. */
interface Watched {
  readonly sight: string;
  readonly patience: number;
  looks: number;
}

/** Time between two looks at a lock, and between two heartbeats. */
interface Pace {
  readonly lookMs: number;
  readonly beatMs: number;
}

const PACE: Pace = { lookMs: 1000, beatMs: 5000 };

/** How to wait for a lock; tests use a faster pace. */
export interface Waiting {
  readonly signal?: AbortSignal | undefined;
  readonly warn: (message: string) => void;
  readonly pace?: Pace;
}

/**
 * Takes the lock of the folder of a run; the returned function releases it. Until then files are committed to the folder
 * only while the lock file exists. If the system does not know whether the holder is alive, waits up to a minute for its
 * heartbeat. Rejects with a UserError of kind `failed` if a living process holds the lock, or with the reason of `signal`.
 */
export async function lockRun(folder: string, { signal, warn, pace = PACE }: Waiting): Promise<() => void> {
  const watched = new Map<string, Watched>();
  for (let attempt = 0; attempt < TRIES;) {
    signal?.throwIfAborted();
    const locks = readLocks(folder);
    const living = locks.find((lock) => standing(lock, watched) === 'alive');
    if (living) throw inUse(folder, living);
    const doubtful = locks.filter((lock) => standing(lock, watched) === 'unknown');
    for (const lock of doubtful) {
      const known = watched.get(lock.path);
      if (known) known.looks++;
      else {
        const patience = await patienceFor(lock);
        watched.set(lock.path, { sight: lock.sight, patience, looks: 0 });
        if (patience > LOOKS_EMPTY)
          warn(
            `${folder}: locked by ${describe(lock)}; waiting up to ${(patience * pace.lookMs) / 1000} s to see whether it is ` +
              'still running',
          );
      }
    }
    if (doubtful.length > 0) await sleep(pace.lookMs, undefined, { signal }).catch(() => undefined);
    else {
      const held = tryLock(folder, locks, watched, { warn, pace });
      if (held) return held;
      attempt++;
      await sleep(5 + Math.random() * 45);
    }
  }
  throw new UserError('failed', `${folder}: other processes are starting the same run; try again`);
}

/** Whether a process works on a run, judged by a single look at its lock. */
export function isLocked(folder: string): boolean {
  let locks: Lock[];
  try {
    locks = readLocks(folder);
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
  return locks.some(({ owner, movedMs, hidden }) => {
    const life = owner ? lifeOf(owner) : hidden ? 'unknown' : 'dead';
    return life === 'alive' || (life === 'unknown' && Date.now() - movedMs < SILENT_MS);
  });
}

/** Whether the holder of a lock is alive: known by the system, else by a heartbeat since the lock was first seen. */
function standing(lock: Lock, watched: ReadonlyMap<string, Watched>): 'alive' | 'dead' | 'unknown' {
  const life = lock.owner ? lifeOf(lock.owner) : 'unknown';
  const known = watched.get(lock.path);
  if (life !== 'unknown' || known === undefined) return life;
  if (known.sight !== lock.sight) return 'alive';
  return known.looks >= known.patience ? 'dead' : 'unknown';
}

async function patienceFor({ owner, hidden }: Lock): Promise<number> {
  if (owner === undefined) return hidden ? LOOKS : LOOKS_EMPTY;
  return owner.job !== undefined && (await jobHasEnded(owner.job)) ? LOOKS_ENDED : LOOKS;
}

/** Whether Slurm says that a job has ended; false if Slurm does not answer. */
async function jobHasEnded(job: string): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)('squeue', ['--noheader', '--jobs', job], {
      timeout: 5000,
    });
    return stdout.trim() === '';
  } catch (error) {
    return /Invalid job id/i.test(String((error as { stderr?: string }).stderr));
  }
}

/** One attempt to lock while all holders of existing locks are dead. Undefined if another attempt may succeed. */
function tryLock(
  folder: string,
  dead: readonly Lock[],
  watched: ReadonlyMap<string, Watched>,
  { warn, pace }: { readonly warn: (message: string) => void; readonly pace: Pace },
): (() => void) | undefined {
  const path = join(folder, `lock.${1 + Math.max(0, ...dead.map(({ number }) => number))}`);
  // The id distinguishes this lock from other locks of the same process.
  const line = JSON.stringify({ ...thisProcess(), id: randomUUID() });
  if (!appear(path, line, warn)) return undefined;
  failpoint('locked');
  const others = readLocks(folder).filter((lock) => lock.path !== path);
  if (others.some((lock) => standing(lock, watched) !== 'dead')) {
    rmSync(path, { force: true });
    return undefined;
  }
  for (const lock of others) {
    if (lock.owner && !isNear(lock.owner))
      warn(`${folder}: ${describe(lock)} gave no sign of life; taking over the run`);
    try {
      rmSync(lock.path, { force: true });
    } catch {
      // A folder of that name does not count as a lock.
    }
  }
  return hold(folder, path, line, pace.beatMs);
}

/** Keeps the heartbeat and the guard of the folder active until the returned function is called, or the process ends. */
function hold(folder: string, path: string, line: string, everyMs: number): () => void {
  const workerData: Heart = { path: resolve(path), line, everyMs };
  const heart = new Worker(new URL('./heartbeat.js', import.meta.url), { workerData });
  // Without a heartbeat the lock still works for processes on the same machine and in the same container.
  heart.on('error', () => undefined);
  heart.unref();
  const unguard = guardFolder(folder, () => {
    if (!holds(path, line)) throw lost(folder);
  });
  const release = (): void => {
    process.removeListener('exit', release);
    unguard();
    void heart.terminate();
    try {
      if (holds(path, line)) rmSync(path, { force: true });
    } catch {
      // A lock that remains is taken over like that of a dead process.
    }
  };
  process.once('exit', release);
  return release;
}

function inUse(folder: string, lock: Lock): UserError {
  return new UserError('failed', `${folder}: in use by ${describe(lock)}; wait for it to end`);
}

function lost(folder: string): UserError {
  const [other] = readLocks(folder);
  const taker = other ? `, which ${describe(other)} holds now` : '';
  return new UserError(
    'failed',
    `${folder}: this process has lost the lock of the run${taker}: it was suspended for too long, or the lock was removed; ` +
      'it wrote nothing after that; run the same command again to resume the run',
  );
}

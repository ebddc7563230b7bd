// One process a run: the lock on a run's folder, and its taking over from a process that has died.
//
// Locks are files lock.1, lock.2, ... that appear with their content in one step (a hard link), and a number is never
// linked twice while it is there. To take over, a process links the number after the dead one's; it holds the run only
// if, looking again, no other lock may belong to a living process. Two that see each other both step back and try again.
// Removing a dead process's file under its own name instead would leave a moment in which a living one's is removed.
//
// A process of this machine and container is asked for by its number and start. Of any other only its heartbeat is seen:
// a number in its lock file, counted up by a thread. Where that stands still for a minute, looked at again and again and
// so without trust in any clock, the process counts as dead. Should it have been stopped only, it finds before it writes
// the next file that its lock is gone, and ends.

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { UserError } from '../errors.js';
import { failpoint, guardFolder } from './commit.js';
import type { Heart } from './heartbeat.js';
import { type Lock, appear, describe, holds, readLocks } from './lock-file.js';
import { isNear, lifeOf, thisProcess } from './owner.js';

const TRIES = 20;
/** Looks at a lock of which nothing else is known. */
const LOOKS = 60;
/** The same where Slurm says that the job has ended, as another cluster's would that does not know it. */
const LOOKS_ENDED = 15;
/** The same of a lock that says nothing: its writer was killed, or is writing it now. */
const LOOKS_EMPTY = 2;
/** At a glance, a lock that has not moved for so long is a dead one's. */
const SILENT_MS = 120_000;

/** A lock that is watched for a heartbeat. */
interface Watched {
  readonly sight: string;
  readonly patience: number;
  looks: number;
}

/** Time between two looks at a lock, and between two beats. */
interface Pace {
  readonly lookMs: number;
  readonly beatMs: number;
}

const PACE: Pace = { lookMs: 1000, beatMs: 5000 };

/** Who waits for a lock; tests have no time. */
export interface Waiting {
  readonly signal?: AbortSignal | undefined;
  readonly warn: (message: string) => void;
  readonly pace?: Pace;
}

/**
 * Takes the lock of a run's folder; call the result to give it back. Until then files are committed in the folder only
 * while the lock is there. Waits up to a minute for a sign of life of a process that it cannot ask for. Rejects with a
 * UserError of kind `failed` if a living process has it, with the signal's reason if that aborts.
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
            `${folder}: locked by ${describe(lock)}; looking for up to ${(patience * pace.lookMs) / 1000} s whether it is ` +
              'still at work',
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

/** Whether a process works on a run, as far as can be seen at a glance. */
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

/** What is known of a lock's owner: from the system, else from whether the lock has moved since it was first seen. */
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

/** Whether Slurm says that a job is no more; false where it cannot be asked. */
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

/** One attempt, where all locks that are there are dead ones'. Undefined if another attempt may do better. */
function tryLock(
  folder: string,
  dead: readonly Lock[],
  watched: ReadonlyMap<string, Watched>,
  { warn, pace }: { readonly warn: (message: string) => void; readonly pace: Pace },
): (() => void) | undefined {
  const path = join(folder, `lock.${1 + Math.max(0, ...dead.map(({ number }) => number))}`);
  // The last part tells this lock from any other of the same process.
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
      warn(`${folder}: ${describe(lock)} gave no sign of life; going on in its place`);
    try {
      rmSync(lock.path, { force: true });
    } catch {
      // A folder of that name holds nobody up.
    }
  }
  return hold(folder, path, line, pace.beatMs);
}

/** Keeps the heart beating and the folder guarded until the result is called, or the process ends. */
function hold(folder: string, path: string, line: string, everyMs: number): () => void {
  const workerData: Heart = { path: resolve(path), line, everyMs };
  const heart = new Worker(new URL('./heartbeat.js', import.meta.url), { workerData });
  // Without a heart the lock is still good for every process that can ask for this one.
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
      // A dead process's lock is taken over.
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
  const taker = other ? `, which ${describe(other)} has now` : '';
  return new UserError(
    'failed',
    `${folder}: this process has lost the run's lock${taker}, having stood still for long or because the lock was removed; ` +
      'it wrote nothing more; the same command goes on with the run',
  );
}

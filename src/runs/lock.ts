// One process a run: the lock on a run's folder, and its taking over from a process that has died.
//
// Locks are files lock.1, lock.2, ... that appear with their content in one step (a hard link), and a number is never
// linked twice while it is there. To take over, a process links the number after the dead one's; it holds the run only
// if, looking again, no other lock belongs to a living process. Two that see each other both step back and try again.
// Removing a dead process's file under its own name instead would leave a moment in which a living one's is removed.

import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  linkSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { TEMPORARY, diskError, failpoint } from './commit.js';

const NAME = /^lock\.(\d+)$/;
const TRIES = 20;

interface Owner {
  readonly pid: number;
  /** The Slurm job that it runs in, which can be asked after from every host of the cluster. */
  readonly job?: string | undefined;
  readonly host: string;
  /** What tells a process from a later one of the same number; absent where the system does not say. */
  readonly started?: string | undefined;
  /** Changes with every start of the machine. */
  readonly boot?: string | undefined;
}

/**
 * Takes the lock of a run's folder; call the result to give it back. Throws a UserError of kind `failed` if a living
 * process has it, or one on another machine, of which nothing can be known.
 */
export function lockRun(folder: string): () => void {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const number = tryLock(folder);
    if (number !== undefined) return () => rmSync(join(folder, `lock.${number}`), { force: true });
    pause(5 + Math.random() * 45);
  }
  throw new UserError('failed', `${folder}: other processes are starting the same run; try again`);
}

/** Whether a living process, or one of which nothing can be known, works on a run. */
export function isLocked(folder: string): boolean {
  return existsSync(folder) && readLocks(folder).some(({ owner }) => !isDead(owner));
}

/** Sleeps without giving other work a turn: a lock is taken before there is any. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** One attempt. Returns the number of the lock, or undefined if another attempt may do better. */
function tryLock(folder: string): number | undefined {
  const before = readLocks(folder);
  for (const { owner } of before) if (!isDead(owner)) throw inUse(folder, owner, before);
  const number = 1 + Math.max(0, ...before.map((lock) => lock.number));
  const path = join(folder, `lock.${number}`);
  const temporary = join(folder, `${TEMPORARY}${randomUUID()}-lock`);
  try {
    writeFileSync(temporary, JSON.stringify(thisProcess()), { flag: 'wx' });
    linkSync(temporary, path);
  } catch (error) {
    // Another has linked the number, or the holder has tidied the folder.
    if (['EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw diskError(path, error);
  } finally {
    rmSync(temporary, { force: true });
  }
  failpoint('locked');
  const others = readLocks(folder).filter((lock) => lock.number !== number);
  if (others.some(({ owner }) => !isDead(owner))) {
    rmSync(path, { force: true });
    return undefined;
  }
  for (const lock of others) rmSync(join(folder, `lock.${lock.number}`), { force: true });
  return number;
}

function readLocks(folder: string): { number: number; owner: Owner | undefined }[] {
  const locks: { number: number; owner: Owner | undefined }[] = [];
  for (const name of readdirSync(folder)) {
    const number = NAME.exec(name)?.[1];
    if (number === undefined) continue;
    try {
      locks.push({ number: Number(number), owner: parseOwner(readFileSync(join(folder, name), 'utf8')) });
    } catch (error) {
      // Released between the two calls.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return locks;
}

/** Undefined if the text is none: a power cut may leave a lock empty, and its owner is dead then. */
function parseOwner(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Owner;
    return Number.isSafeInteger(owner.pid) && owner.pid > 0 && typeof owner.host === 'string'
      ? owner
      : undefined;
  } catch {
    return undefined;
  }
}

function inUse(folder: string, owner: Owner | undefined, locks: { number: number }[]): UserError {
  const elsewhere = owner !== undefined && owner.host !== hostname();
  return new UserError(
    'failed',
    `${folder}: in use by process ${owner?.pid}${elsewhere ? ` on ${owner.host}` : ''}; ` +
      (elsewhere
        ? `if that has ended, delete ${locks.map(({ number }) => join(folder, `lock.${number}`)).join(' ')}`
        : 'wait for it to end'),
  );
}

/** Whether a lock's owner certainly runs no more. */
function isDead(owner: Owner | undefined): boolean {
  if (owner === undefined) return true;
  const self = thisProcess();
  if (owner.host !== self.host) return owner.job !== undefined && jobHasEnded(owner.job);
  if (owner.boot !== self.boot) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  return owner.started !== undefined && owner.started !== startOf(owner.pid);
}

/** Whether Slurm says that a job is no more; false where it cannot be asked. */
function jobHasEnded(job: string): boolean {
  const { status, stdout, stderr } = spawnSync('squeue', ['--noheader', '--jobs', job], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() === '' : /Invalid job id/i.test(stderr ?? '');
}

let self: Owner | undefined;

function thisProcess(): Owner {
  self ??= {
    pid: process.pid,
    job: process.env['SLURM_JOB_ID'],
    host: hostname(),
    started: startOf(process.pid),
    boot: bootId(),
  };
  return self;
}

/** The PID namespace and start of a process in clock ticks since boot; undefined where there is no /proc. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name, in brackets, may hold spaces and brackets itself; field 22 is the start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Ended, but not yet waited for by its parent.
    return fields[0] === 'Z' ? 'ended' : `${readlinkSync('/proc/self/ns/pid')} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}

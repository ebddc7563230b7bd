// One process a run: a lock file that names its owner, taken over when that process is gone.

import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.js';

interface Owner {
  readonly pid: number;
  /** When the process started, so that a reused pid is not taken for it; empty where the system does not tell. */
  readonly started: string;
  /** Which start of the machine. */
  readonly boot: string;
}

/** Takes a run's lock; call the result to give it back. Throws a UserError of kind `failed` if another process has it. */
export function lockRun(folder: string): () => void {
  const path = join(folder, 'lock');
  const own = join(folder, `.lock-${process.pid}`);
  const me: Owner = { pid: process.pid, started: startOf(process.pid), boot: bootId() };
  writeFileSync(own, JSON.stringify(me));
  try {
    // A hard link is made by one process only, and the file it points to is complete.
    for (let attempt = 0; attempt < 20; attempt++) {
      try {
        linkSync(own, path);
        return () => rmSync(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const owner = readOwner(path);
      if (owner !== undefined && isAlive(owner))
        throw new UserError(
          'failed',
          `${folder}: process ${owner.pid} is working on this run; wait for it or stop it`,
        );
      takeAway(path, own, owner);
    }
    throw new UserError('failed', `${folder}: other processes keep taking this run`);
  } finally {
    rmSync(own, { force: true });
  }
}

/** Removes a dead owner's lock; of several processes that try, one succeeds. */
function takeAway(path: string, own: string, dead: Owner | undefined): void {
  const claim = `${path}-takeover`;
  try {
    linkSync(own, claim);
  } catch {
    const claimer = readOwner(claim);
    if (claimer === undefined || !isAlive(claimer)) rmSync(claim, { force: true });
    return;
  }
  try {
    const now = readOwner(path);
    if (now?.pid === dead?.pid && now?.started === dead?.started) rmSync(path, { force: true });
  } finally {
    rmSync(claim, { force: true });
  }
}

function readOwner(path: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, started, boot }: Owner): boolean {
  if (boot !== bootId()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return startOf(pid) === started;
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** The 22nd field of /proc/PID/stat, behind the command's name in brackets. */
function startOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

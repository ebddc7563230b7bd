// How files get to disk: whole or not at all, also when the power goes or the process is killed at any moment.
// Temporary file in the same folder, fsync, read back and compare, rename, fsync of the folder.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { UserError } from '../errors.js';
import { fsReason } from '../fs-reason.js';
import { makeFolders } from '../make-folders.js';
import { sha256 } from '../sha256.js';
import { removeAbandoned, temporaryPath } from './temporary.js';

/** The places at which a test may kill the process, in the order in which a run passes them. */
export const FAILPOINTS = [
  'locked',
  'writing',
  'written',
  'verified',
  'moved',
  'renamed',
  'synced',
  'created',
  'checkpoint',
  'evaluated',
  'scored',
  'removed',
  'ended',
] as const;

let passed = 0;

/**
 * Tests kill the process at named points: LUNET_FAILPOINT=NAME[:COUNT] kills it with SIGKILL when it comes there for the
 * COUNT-th time.
 */
export function failpoint(name: (typeof FAILPOINTS)[number]): void {
  const wanted = process.env['LUNET_FAILPOINT'];
  if (wanted === undefined) return;
  const [point, count = '1'] = wanted.split(':');
  if (point === name && ++passed === Number(count)) process.kill(process.pid, 'SIGKILL');
}

const guards = new Map<string, () => void>();

/** Has `check` called before each file that is put into a folder: where it throws, nothing is. Undone by the result. */
export function guardFolder(folder: string, check: () => void): () => void {
  guards.set(resolve(folder), check);
  return () => guards.delete(resolve(folder));
}

const ELSEWHERE = 'choose another folder with --set output=DIR';

export interface CommitOptions {
  /** The name under which the file that was there is kept. */
  readonly previous?: string;
  /** What to do where writing is not allowed; default: what sends runs elsewhere. */
  readonly elsewhere?: string;
}

/**
 * Writes a file atomically. Throws a UserError of kind `disk`; what was committed before is still there then, and nothing is
 * tried twice.
 */
export function commitFile(
  path: string,
  content: string | Uint8Array,
  { previous, elsewhere }: CommitOptions = {},
): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const folder = dirname(path);
  const check = guards.get(resolve(folder));
  check?.();
  removeAbandoned(folder);
  const temporary = temporaryPath(folder, basename(path));
  try {
    writeDurably(temporary, bytes);
    failpoint('written');
    if (sha256(readFileSync(temporary)) !== sha256(bytes))
      throw new Error('read back other bytes than were written');
    failpoint('verified');
    check?.();
    if (previous !== undefined) {
      try {
        renameSync(path, previous);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
      failpoint('moved');
    }
    renameSync(temporary, path);
    failpoint('renamed');
    syncFolder(folder);
    failpoint('synced');
  } catch (error) {
    try {
      // On a full disk this makes room again.
      rmSync(temporary, { force: true });
    } catch {
      // The first error is the one that tells.
    }
    throw error instanceof UserError ? error : diskError(path, error, elsewhere);
  }
}

/** How file systems say that they have no fsync for a folder, or for any file; an EIO is one that failed. */
const NO_FSYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EBADF', 'EPERM', 'EACCES', 'EISDIR']);

/** What went wrong with a file, as a UserError of kind `disk`, with what to do where that is known. */
export function diskError(path: string, error: unknown, elsewhere = ELSEWHERE): UserError {
  const { code } = error as NodeJS.ErrnoException;
  const advice =
    {
      ENOSPC: 'the disk is full: free some space',
      EDQUOT: 'your quota is used up: free some space',
      EFBIG: 'the file is larger than the limit allows (ulimit -f)',
      EACCES: `writing there is not allowed: ${elsewhere}`,
      EPERM: `writing there is not allowed: ${elsewhere}`,
      EROFS: `the file system is read-only: ${elsewhere}`,
    }[code ?? ''] ?? fsReason(error);
  return new UserError('disk', `${path}: could not be written: ${advice}`, { cause: error });
}

function writeDurably(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'wx');
  try {
    // A write may take fewer bytes than it was given.
    for (let at = 0; at < bytes.length;) {
      at += writeSync(file, bytes, at, Math.min(bytes.length - at, 1 << 22));
      failpoint('writing');
    }
    // After a failed fsync the pages may be gone although a second one succeeds, so there is no second try.
    try {
      fsyncSync(file);
    } catch (error) {
      if (!NO_FSYNC.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  } finally {
    closeSync(file);
  }
}

/** False where the file system has no fsync for folders: a file is there after a power cut only if it is lucky then. */
export function syncFolder(folder: string): boolean {
  let handle: number | undefined;
  try {
    handle = openSync(folder, 'r');
    fsyncSync(handle);
    return true;
  } catch (error) {
    if (NO_FSYNC.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** Makes a folder and those above it. Throws a UserError of kind `disk`. */
export function makeFolder(folder: string, elsewhere = ELSEWHERE): void {
  try {
    makeFolders(folder);
  } catch (error) {
    throw new UserError('disk', `${folder}: the folder could not be made: ${fsReason(error)}; ${elsewhere}`, {
      cause: error,
    });
  }
}

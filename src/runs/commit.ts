// Atomic writes: a file is written completely or not at all, even if the power fails or the process is killed at any moment.
// Steps: temporary file in the same folder, fsync, read back and compare, rename, fsync of the folder.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { UserError } from '../errors.js';
import { fsReason } from '../fs-reason.js';
import { makeFolders } from '../make-folders.js';
import { sha256 } from '../sha256.js';
import { removeAbandoned, temporaryPath } from './temporary.js';

/** The points at which a test can kill the process, in the order in which a run reaches them. */
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
 * Lets tests kill the process at named points: LUNET_FAILPOINT=NAME[:COUNT] kills it with SIGKILL when it reaches the point
 * for the COUNT-th time.
 */
export function failpoint(name: (typeof FAILPOINTS)[number]): void {
  const wanted = process.env['LUNET_FAILPOINT'];
  if (wanted === undefined) return;
  const [point, count = '1'] = wanted.split(':');
  if (point === name && ++passed === Number(count)) process.kill(process.pid, 'SIGKILL');
}

const guards = new Map<string, () => void>();

/** Calls `check` before each file is committed to a folder; if it throws, no file is. The returned function ends this. */
export function guardFolder(folder: string, check: () => void): () => void {
  guards.set(resolve(folder), check);
  return () => guards.delete(resolve(folder));
}

const ELSEWHERE = 'choose another folder with --set output=DIR';

export interface CommitOptions {
  /** The path to which the old file is moved. */
  readonly previous?: string;
  /** Advice if writing is not allowed; default: advice for the output folder of runs. */
  readonly elsewhere?: string;
}

/**
 * Writes a file atomically. Throws a UserError of kind `disk`; in this case the old file is unchanged. Does not retry.
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
      throw new Error('the bytes read back differ from those written');
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
      // Frees space on a full disk.
      rmSync(temporary, { force: true });
    } catch {
      // Report the first error.
    }
    throw error instanceof UserError ? error : diskError(path, error, elsewhere);
  }
}

/** Errors of file systems without fsync for folders, or for any file. EIO is not one: it means that fsync failed. */
const NO_FSYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EBADF', 'EPERM', 'EACCES', 'EISDIR']);

/** A failed write as a UserError of kind `disk`, with advice if known. */
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
    // A write may write fewer bytes than requested.
    for (let at = 0; at < bytes.length;) {
      at += writeSync(file, bytes, at, Math.min(bytes.length - at, 1 << 22));
      failpoint('writing');
    }
    // No retry: after a failed fsync the kernel may have dropped the pages, and a second fsync succeeds without them.
    try {
      fsyncSync(file);
    } catch (error) {
      if (!NO_FSYNC.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  } finally {
    closeSync(file);
  }
}

/** False if the file system has no fsync for folders: a power failure may then lose the newest files. */
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

/** Creates a folder and its parents. Throws a UserError of kind `disk`. */
export function makeFolder(folder: string, elsewhere = ELSEWHERE): void {
  try {
    makeFolders(folder);
  } catch (error) {
    throw new UserError('disk', `${folder}: the folder could not be made: ${fsReason(error)}; ${elsewhere}`, {
      cause: error,
    });
  }
}

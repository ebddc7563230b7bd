// How files get to disk: whole or not at all, also when the power goes or the process is killed at any moment.
// Temporary file in the same folder, fsync, read back and compare, rename, fsync of the folder.

import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../errors.js';

const TEMPORARY = '.tmp-';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * Tests kill or fail the process at named points: LUNET_FAILPOINT=NAME[:COUNT] kills it with SIGKILL when it comes
 * there for the COUNT-th time.
 */
let passed = 0;
export function failpoint(name: string): void {
  const wanted = process.env['LUNET_FAILPOINT'];
  if (wanted === undefined) return;
  const [point, count = '1'] = wanted.split(':');
  if (point === name && ++passed === Number(count)) process.kill(process.pid, 'SIGKILL');
}

/** Writes a file atomically. With `previous`, the file that was there is kept under that name. Throws a UserError of kind `disk`. */
export function commitFile(path: string, content: string | Uint8Array, previous?: string): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const folder = dirname(path);
  const temporary = join(folder, `${TEMPORARY}${process.pid}-${basename(path)}`);
  try {
    writeDurably(temporary, bytes);
    failpoint('written');
    if (sha256(readFileSync(temporary)) !== sha256(bytes))
      throw new Error('read back other bytes than were written');
    failpoint('verified');
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
    rmSync(temporary, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    const advice =
      code === 'ENOSPC' || code === 'EDQUOT'
        ? 'the disk is full: free some space'
        : code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
          ? 'writing there is not allowed: choose another folder with --set output=DIR'
          : code === 'EFBIG'
            ? 'the file is larger than the limit allows (ulimit -f)'
            : message;
    throw new UserError('disk', `${path}: could not be written: ${advice}`, { cause: error });
  }
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
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Makes a folder and those above it. Throws a UserError of kind `disk`. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new UserError(
      'disk',
      `${folder}: the folder could not be made: ${(error as Error).message}; choose another with --set output=DIR`,
    );
  }
}

/** Removes what a killed process left half written. Call it only while holding the folder's lock. */
export function removeTemporary(folder: string): void {
  for (const name of readdirSync(folder))
    if (name.startsWith(TEMPORARY)) rmSync(join(folder, name), { force: true });
}

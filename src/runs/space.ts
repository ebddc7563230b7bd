// Checks whether a file system has space for the files of a run, and which safety features it lacks.

import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { UserError } from '../errors.js';
import { diskError, syncFolder } from './commit.js';
import { temporaryPath } from './temporary.js';

const PART = Buffer.alloc(2 ** 20, 1);
const warned = new Set<string>();

/**
 * Throws a UserError of kind `disk` unless there is space for three checkpoints of a network with this many parameters. If
 * the file system does not report its free space, writes this many bytes and removes them again. Warns once about missing
 * safety features.
 */
export function requireSpace(folder: string, parameters: number, warn: (message: string) => void): void {
  const needed = 3 * (12 * parameters + 65536);
  const mib = (bytes: number): number => Math.ceil(bytes / 2 ** 20);
  const once = (what: string): void => {
    if (!warned.has(what)) warn(`${folder}: the file system ${what}`);
    warned.add(what);
  };
  const free = freeBytes(folder);
  if (free === 0) {
    tryToWrite(folder, needed);
    once(`does not say how much space is free; ${mib(needed)} MiB for three checkpoints could be written`);
  } else if (free < needed)
    throw new UserError(
      'disk',
      `${folder}: ${Math.round(free / 2 ** 20)} MiB are free, ${mib(needed)} MiB are needed ` +
        'for three checkpoints: free some space or choose another folder with --set output=DIR',
    );
  if (!syncFolder(folder))
    once('cannot force folders to disk (fsync); a power failure may lose the newest files');
}

/** 0 if nothing is free, or if the file system does not report it. */
function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

function tryToWrite(folder: string, bytes: number): void {
  const path = temporaryPath(folder, 'space');
  try {
    const file = openSync(path, 'wx');
    try {
      for (let left = bytes; left > 0;) left -= writeSync(file, PART, 0, Math.min(left, PART.length));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw diskError(folder, error);
  } finally {
    rmSync(path, { force: true });
  }
}

// The files that locks are: made in one step, read and put into words. Who gets a lock is decided in lock.ts.

import {
  closeSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../errors.js';
import { fsReason } from '../fs-reason.js';
import { diskError } from './commit.js';
import { type Owner, isNear, parseOwner, thisProcess } from './owner.js';
import { temporaryPath } from './temporary.js';

const NAME = /^lock\.(\d{1,9})$/;

/** A lock as it was found. */
export interface Lock {
  readonly number: number;
  readonly path: string;
  readonly owner: Owner | undefined;
  /** Changes with every beat. */
  readonly sight: string;
  readonly movedMs: number;
  /** No text could be read of it although there may be one. */
  readonly hidden: boolean;
}

let linkless = false;

/** Makes a lock file with its content in one step. False if the number has been taken, or the holder has tidied. */
export function appear(path: string, line: string, warn: (message: string) => void): boolean {
  const folder = dirname(path);
  const temporary = temporaryPath(folder, 'lock');
  const text = `${line}\n${' '.repeat(9)}\n`;
  try {
    writeFileSync(temporary, text, { flag: 'wx' });
  } catch (error) {
    rmSync(temporary, { force: true });
    throw diskError(path, error);
  }
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    // A network file system may have done it and lost the answer.
    if (isTaken(error)) return holds(path, line);
    if (!linkless) warn(`${folder}: no hard links on this file system; locks are made without`);
    linkless = true;
    return appearByName(path, text);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Makes a lock file where there are no hard links: another may see it before its content, and looks twice. */
function appearByName(path: string, text: string): boolean {
  try {
    closeSync(openSync(path, 'wx'));
  } catch (error) {
    if (isTaken(error)) return false;
    throw diskError(path, error);
  }
  try {
    writeFileSync(path, text);
    return true;
  } catch (error) {
    rmSync(path, { force: true });
    throw diskError(path, error);
  }
}

function isTaken(error: unknown): boolean {
  return ['EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Whether a lock file is there and is the one with this first line. */
export function holds(path: string, line: string): boolean {
  try {
    return readFileSync(path, 'utf8').split('\n', 1)[0] === line;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ESTALE'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw diskError(path, error);
  }
}

/** All locks in a folder; none if that is not there. Throws a UserError of kind `disk` if it cannot be read. */
export function readLocks(folder: string): Lock[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw new UserError('disk', `${folder}: ${fsReason(error)}`);
  }
  return names.flatMap((name) => {
    const number = NAME.exec(name)?.[1];
    return number === undefined ? [] : (readLock(join(folder, name), Number(number)) ?? []);
  });
}

/** Undefined if it was released between the two calls. */
function readLock(path: string, number: number): Lock | undefined {
  const gone = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
  let text: string | undefined;
  try {
    // Read before its time: opening a file on a network file system asks for both anew. Anything but a file is nobody's.
    text = lstatSync(path).isFile() ? readFileSync(path, 'utf8') : '';
  } catch (error) {
    if (gone(error)) return undefined;
  }
  try {
    const { mtimeNs, mtimeMs } = lstatSync(path, { bigint: true });
    return {
      number,
      path,
      owner: parseOwner(text?.split('\n', 1)[0] ?? ''),
      sight: `${mtimeNs} ${text}`,
      movedMs: Number(mtimeMs),
      hidden: text === undefined,
    };
  } catch (error) {
    if (gone(error)) return undefined;
    throw new UserError('disk', `${path}: ${fsReason(error)}`);
  }
}

/** Who holds a lock, where, and when it was last seen. */
export function describe({ owner, movedMs, path }: Lock): string {
  if (owner === undefined) return `a process that cannot be told (${path})`;
  const where = isNear(owner)
    ? ''
    : owner.host === thisProcess().host
      ? ' in another container or from before a restart'
      : ` on ${owner.host}`;
  const seconds = Math.round((Date.now() - movedMs) / 1000);
  const seen = seconds < 120 ? `${Math.max(0, seconds)} s` : `${Math.round(seconds / 60)} min`;
  return `process ${owner.pid}${where}${where === '' ? '' : `, last seen ${seen} ago`}`;
}

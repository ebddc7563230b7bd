// Lock files: creates them in one step, reads and describes them. lock.ts decides who gets a lock.

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
import { UserError } from '../../errors.js';
import { fsReason } from '../../fs-reason.js';
import { diskError } from '../commit.js';
import { type Owner, isNear, parseOwner, thisProcess } from './owner.js';
import { temporaryPath } from '../temporary.js';

const NAME = /^lock\.(\d{1,9})$/;

/** A lock as read from its file. */
export interface Lock {
  readonly number: number;
  readonly path: string;
  readonly owner: Owner | undefined;
  /** Changes with every heartbeat. */
  readonly sight: string;
  readonly movedMs: number;
  /** Its text could not be read, although there may be one. */
  readonly hidden: boolean;
}

let linkless = false;

/** Creates a lock file with its content in one step. False if the number is taken, or the holder has removed the file. */
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
    // A network file system may have made the link and lost the reply.
    if (isTaken(error)) return holds(path, line);
    if (!linkless) warn(`${folder}: no hard links on this file system; locks are made without them`);
    linkless = true;
    return appearByName(path, text);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Creates a lock file without hard links: others may see it before it has its content, so they look at it twice. */
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

/** Whether the lock file exists and has this first line. */
export function holds(path: string, line: string): boolean {
  try {
    return readFileSync(path, 'utf8').split('\n', 1)[0] === line;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ESTALE'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw diskError(path, error);
  }
}

/** All locks in a folder; none if it does not exist. Throws a UserError of kind `disk` if it cannot be read. */
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

/** The lock; undefined if it was released since the folder was listed. */
function readLock(path: string, number: number): Lock | undefined {
  const gone = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
  let text: string | undefined;
  try {
    // Text first, then time: opening a file on a network file system refreshes both. A lock that is not a file has no holder.
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

/** Who holds a lock, where, and when its heartbeat was last seen. */
export function describe({ owner, movedMs, path }: Lock): string {
  if (owner === undefined) return `an unknown process (${path})`;
  const where = isNear(owner)
    ? ''
    : owner.host === thisProcess().host
      ? ' in another container or from before a restart'
      : ` on ${owner.host}`;
  const seconds = Math.round((Date.now() - movedMs) / 1000);
  const seen = seconds < 120 ? `${Math.max(0, seconds)} s` : `${Math.round(seconds / 60)} min`;
  return `process ${owner.pid}${where}${where === '' ? '' : `, last seen ${seen} ago`}`;
}

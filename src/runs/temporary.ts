// Temporary files: their names, and the removal of those that a killed process left behind.

import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../sha256.js';
import { lifeOf, thisProcess } from './lock/owner.js';

const PREFIX = '.tmp-';
const NAME = /^\.tmp-(\d+)-([0-9a-f]{8})-/;
/** No write takes this long. */
const OLD_MS = 3600_000;

/** The path of a temporary file for `name` in a folder; no other process uses it. */
export function temporaryPath(folder: string, name: string): string {
  return join(folder, `${PREFIX}${process.pid}-${place()}-${randomBytes(3).toString('hex')}-${name}`);
}

/** An id of this machine and container, within which process numbers are unique. */
function place(): string {
  const { host, boot, namespace } = thisProcess();
  return sha256(`${host} ${boot} ${namespace}`).slice(0, 8);
}

/** Removes the temporary files of killed processes. Call it only while holding the lock of the folder. */
export function removeTemporary(folder: string): void {
  removeWhere(folder, () => true);
}

const tidied = new Set<string>();

/**
 * Removes the temporary files of killed processes in a folder without a lock: files of processes that have ended, and old
 * files. Does so once per folder and process; ignores files that it cannot read or remove.
 */
export function removeAbandoned(folder: string): void {
  if (tidied.has(folder)) return;
  tidied.add(folder);
  const { host, boot, namespace } = thisProcess();
  removeWhere(folder, (name, modifiedMs) => {
    const [, pid, where] = NAME.exec(name) ?? [];
    const ended = where === place() && lifeOf({ pid: Number(pid), host, boot, namespace }) === 'dead';
    return ended || Date.now() - modifiedMs > OLD_MS;
  });
}

function removeWhere(folder: string, abandoned: (name: string, modifiedMs: number) => boolean): void {
  let names: string[] = [];
  try {
    names = readdirSync(folder).filter((name) => name.startsWith(PREFIX));
  } catch {
    // Code that needs the folder reports the error.
  }
  for (const name of names) {
    const path = join(folder, name);
    try {
      const found = lstatSync(path);
      if (!found.isDirectory() && abandoned(name, found.mtimeMs)) rmSync(path, { force: true });
    } catch {
      // The file is gone, or may stay.
    }
  }
}

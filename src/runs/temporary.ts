// Files that are not in place yet: their names, and the removal of those that a killed process left.

import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../sha256.js';
import { lifeOf, thisProcess } from './owner.js';

const PREFIX = '.tmp-';
const NAME = /^\.tmp-(\d+)-([0-9a-f]{8})-/;
/** No file is being written for so long. */
const OLD_MS = 3600_000;

/** A path beside `path` that is no other process's, to write to first. */
export function temporaryPath(folder: string, name: string): string {
  return join(folder, `${PREFIX}${process.pid}-${place()}-${randomBytes(3).toString('hex')}-${name}`);
}

/** Tells the process numbers of this machine and container from those of others. */
function place(): string {
  const { host, boot, namespace } = thisProcess();
  return sha256(`${host} ${boot} ${namespace}`).slice(0, 8);
}

/** Removes what a killed process left half written. Call it only while holding the folder's lock. */
export function removeTemporary(folder: string): void {
  removeWhere(folder, () => true);
}

const tidied = new Set<string>();

/**
 * Removes what killed processes left half written in a folder that has no lock: what is of a process that has ended, and
 * what is old. Once a folder and process; what cannot be read or removed is left.
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
    // Whoever needs the folder says so.
  }
  for (const name of names) {
    const path = join(folder, name);
    try {
      const found = lstatSync(path);
      if (!found.isDirectory() && abandoned(name, found.mtimeMs)) rmSync(path, { force: true });
    } catch {
      // It has gone, or is in nobody's way.
    }
  }
}

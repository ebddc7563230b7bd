// Finds runs on disk below the folder of a split: every folder with a record, whether in its proper place or not.

import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { fsReason } from '../fs-reason.js';
import { type RunKind, runFolder } from './folders.js';
import { type RunRecord, readRun } from './run.js';

/** A run that was found on disk. */
export interface FoundRun {
  readonly folder: string;
  readonly record: RunRecord;
}

/** A file or folder that is left out, and why. */
export interface LeftOut {
  readonly path: string;
  readonly reason: string;
}

// Links may form cycles.
const MAX_DEPTH = 8;

/**
 * All runs of a kind below the folder of a split, sorted by seed. Left out are records that cannot be read, copies (records
 * of another folder) and everything that is not a run: other files, broken links.
 */
export function findRuns(base: string, kind: RunKind): { runs: FoundRun[]; leftOut: LeftOut[] } {
  const runs: FoundRun[] = [];
  const leftOut: LeftOut[] = [];
  const search = (folder: string, depth: number): void => {
    for (const entry of listFolder(folder, leftOut)) {
      const path = join(folder, entry.name);
      if (!isFolder(path, entry)) {
        leftOut.push({
          path,
          reason: entry.isSymbolicLink() ? 'is a link that does not lead to a run' : 'is not a run',
        });
        continue;
      }
      const found = readAt(path, base, kind);
      if (found === undefined) {
        if (depth < MAX_DEPTH && !/^seed-\d+$/.test(entry.name)) search(path, depth + 1);
      } else if ('record' in found) runs.push(found);
      else leftOut.push(found);
    }
  };
  if (existsSync(join(base, kind))) search(join(base, kind), 0);
  runs.sort((a, b) => a.record.seed - b.record.seed);
  return { runs, leftOut };
}

/** The entries of a folder, sorted by name, without hidden files. */
function listFolder(folder: string, leftOut: LeftOut[]): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith('.'))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    leftOut.push({ path: folder, reason: `cannot be read: ${fsReason(error)}` });
    return [];
  }
}

function isFolder(path: string, entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** The run in a folder, or why it is left out; undefined if there is no record. */
function readAt(folder: string, base: string, kind: RunKind): FoundRun | LeftOut | undefined {
  try {
    const record = readRun(folder);
    if (record === undefined) return undefined;
    if (record.kind === kind && runFolder(base, kind, record.method, record.seed) === folder)
      return { folder, record };
    const own = `${record.kind} ${record.method}, seed ${record.seed}`;
    return { path: folder, reason: `is a copy, or was moved: it contains the record of ${own}` };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { path: folder, reason: error.message.replace(`${folder}/`, '') };
  }
}

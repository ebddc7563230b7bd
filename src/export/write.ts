// Writes exports to disk. A file is never half written, and an existing file is replaced only with `force`.

import { type Stats, readdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../errors.js';
import { fsReason } from '../fs-reason.js';
import { commitFile, makeFolder } from '../runs/commit.js';
import { type ExportFile, type ExportFormat } from './format.js';

/**
 * Throws a UserError of kind `usage` if an export cannot go to its path: there is a folder where the export is a file or the other
 * way round; or, without `force`, there is a file or a folder that is not empty.
 */
export function requireFree({ name, target }: ExportFormat, path: string, force: boolean): void {
  const found = kindAt(path);
  if (found === undefined) return;
  if (found !== target)
    throw new UserError('usage', `--${name}: ${path}: found a ${found}, expected a new ${target}`);
  if (force || (found === 'folder' && listFolder(path).length === 0)) return;
  throw new UserError(
    'usage',
    found === 'folder'
      ? `--${name}: ${path}: found a folder that is not empty, expected a new one; --force writes into it`
      : `--${name}: ${path}: found a file that is there already, expected a new one; --force replaces it`,
  );
}

/** Writes the files of an export, with the folders above them. Throws a UserError of kind `disk`. */
export function writeExport({ name }: ExportFormat, files: readonly ExportFile[]): void {
  const elsewhere = `choose another place with --${name}`;
  for (const { path, content } of files) {
    makeFolder(dirname(path), elsewhere);
    commitFile(path, content, { elsewhere });
  }
}

/** The kind of what exists at a path. A device is neither file nor folder, since the rename would replace it. */
function kindAt(path: string): 'file' | 'folder' | 'device' | undefined {
  let stats: Stats | undefined;
  try {
    stats = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new UserError('disk', `${path}: cannot be written: ${fsReason(error)}`);
  }
  if (stats === undefined) return undefined;
  if (stats.isDirectory()) return 'folder';
  return stats.isFile() ? 'file' : 'device';
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    throw new UserError('disk', `${path}: cannot be read: ${fsReason(error)}`);
  }
}

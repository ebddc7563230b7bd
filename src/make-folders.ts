// Creates folders with all their parents.

import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Like mkdir with `recursive: true`, which however reports "no such file" on a read-only file system, and never returns
 * below /proc. Throws the error of the file system.
 */
export function makeFolders(folder: string): void {
  const make = (): NodeJS.ErrnoException | undefined => {
    try {
      mkdirSync(folder);
    } catch (error) {
      if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return error as NodeJS.ErrnoException;
    }
    return undefined;
  };
  const refused = make();
  if (refused === undefined) return;
  if (refused.code !== 'ENOENT' || dirname(folder) === folder) throw refused;
  makeFolders(dirname(folder));
  const again = make();
  if (again) throw again;
}

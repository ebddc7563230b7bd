// Makes folders with all those above them.

import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * As `recursive: true` does it, which says "no such file" where a file system is read-only, and never ends below /proc.
 * Throws the file system's error.
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

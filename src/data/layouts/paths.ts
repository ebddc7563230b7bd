// Files below a dataset's root folder: finding them by name in any Unicode form, and never leaving the root.

import { readdir, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { UserError } from '../../errors.js';

const VOLUME = /\.(nii|nii\.gz|hdr|hdr\.gz)$/i;

/** A file name without folders and the endings of a volume, in NFC: what the case is called. */
export function caseId(path: string): string {
  return (path.split('/').at(-1) as string).replace(VOLUME, '').normalize('NFC');
}

/** Whether a name is one of the hidden files that macOS leaves beside volumes, or any other hidden file. */
export function isHidden(path: string): boolean {
  return (path.split('/').at(-1) as string).startsWith('.');
}

/** Volumes in a folder by name, sorted; hidden files are skipped with a warning. */
export async function listVolumes(folder: string, warnings: string[]): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch {
    throw new UserError('data', `${folder}: no such folder, expected volumes (.nii, .nii.gz) in it`);
  }
  const volumes = names.filter((name) => VOLUME.test(name)).sort();
  const hidden = volumes.filter(isHidden);
  if (hidden.length > 0) warnings.push(skippedHidden(folder, hidden));
  return volumes.filter((name) => !isHidden(name));
}

/** The warning about hidden files. */
export function skippedHidden(source: string, names: readonly string[]): string {
  return `${source}: skipped ${names.length} hidden file${names.length > 1 ? 's' : ''}, such as ${names[0]}`;
}

/** The real path of the root folder. Throws a UserError of kind `data` if there is none. */
export async function realRoot(root: string): Promise<string> {
  try {
    return await realpath(root);
  } catch {
    throw new UserError('data', `${root}: no such folder; dataset.root names the folder of the dataset`);
  }
}

/**
 * The real path of a file below the root (as `realRoot` gives it). Throws a UserError of kind `data` if the file is
 * absent or leads out of the root; `key` says where the path was found.
 */
export async function insideRoot(root: string, path: string, key: string): Promise<string> {
  const outside = (found: string): UserError =>
    new UserError('data', `${key}: found ${path}, which leads to ${found}, expected a file inside ${root}`);
  const contains = (file: string): boolean =>
    !isAbsolute(relative(root, file)) && relative(root, file).split(sep)[0] !== '..';
  if (isAbsolute(path)) throw outside(path);
  const joined = join(root, path);
  if (!contains(joined)) throw outside(joined);
  const real = await realpath(joined).catch(() => findInAnyForm(root, relative(root, joined)));
  if (real === undefined)
    throw new UserError('data', `${key}: found ${path}, but there is no such file in ${root}`);
  if (!contains(real)) throw outside(real);
  return real;
}

/** Looks a path up by names that are equal in NFC: disks and JSON files may spell one accent in different bytes. */
async function findInAnyForm(root: string, path: string): Promise<string | undefined> {
  let folder = root;
  for (const part of path.split(sep)) {
    const names = await readdir(folder).catch(() => []);
    const name = names.find((candidate) => candidate.normalize('NFC') === part.normalize('NFC'));
    if (name === undefined) return undefined;
    folder = join(folder, name);
  }
  return realpath(folder).catch(() => undefined);
}

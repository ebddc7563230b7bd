// Finds files of a dataset below its root folder by name, in any Unicode form and with either kind of slash. Leaves the root
// only if this is allowed.

import { lstat, readdir, readlink, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { UserError } from '../../errors.js';
import { fsReason } from '../../fs-reason.js';
import { imageOfPair } from '../nifti/read.js';
import { type ListOptions } from './layout.js';

/** The names of volumes. */
export const VOLUME = /\.(nii|nii\.gz|hdr|hdr\.gz)$/i;

/** The id of a case: the file name without folders and volume endings, in NFC. */
export function caseId(path: string): string {
  return (path.split('/').at(-1) as string).replace(VOLUME, '').normalize('NFC');
}

/** Whether a name is that of a hidden file, such as those that macOS writes next to volumes. */
export function isHidden(path: string): boolean {
  return (path.split('/').at(-1) as string).startsWith('.');
}

/** The warning about hidden files. */
export function skippedHidden(source: string, names: readonly string[]): string {
  return `${source}: skipped ${names.length} hidden file${names.length > 1 ? 's' : ''}, such as ${names[0]}`;
}

/**
 * Names of volumes in a folder below the root, sorted; hidden files are skipped with a warning. Throws a UserError of
 * kind `data` if the folder cannot be listed, or leads out of the root although this is not allowed.
 */
export async function listVolumes(
  root: string,
  part: string,
  options: ListOptions,
  warnings: string[],
): Promise<string[]> {
  const folder = await insideRoot(root, part, root, options);
  const names = await readdir(folder).catch((error: unknown) => {
    throw new UserError(
      'data',
      `${folder}: ${fsReason(error)}, expected a folder of volumes (.nii, .nii.gz)`,
    );
  });
  const volumes = names.filter((name) => VOLUME.test(name)).sort();
  const hidden = volumes.filter(isHidden);
  if (hidden.length > 0) warnings.push(skippedHidden(folder, hidden));
  return volumes.filter((name) => !isHidden(name));
}

/** The real path of the root folder. Throws a UserError of kind `data` if there is none. */
export async function realRoot(root: string): Promise<string> {
  try {
    const real = await realpath(await withSlashes('', root));
    await readdir(real);
    return real;
  } catch (error) {
    throw new UserError(
      'data',
      `${root}: ${fsReason(error)}; dataset.root is the folder of the dataset, relative to the working folder`,
    );
  }
}

/**
 * A path below a folder in the form of this machine. Windows writes `\\` between folders, but here `\\` may be part of a
 * name, so the path is used unchanged if such a file exists.
 */
export async function withSlashes(folder: string, path: string): Promise<string> {
  if (sep !== '/' || !path.includes('\\')) return path;
  const literal = await lstat(resolve(folder, path)).catch(() => undefined);
  return literal ? path : path.replaceAll('\\', '/');
}

/**
 * The path of a file or folder below the root (from `realRoot`). Throws a UserError of kind `data` if it is absent, or if its
 * path or its links lead out of the root although `followLinks` does not allow this; `key` is where the path was found.
 */
async function insideRoot(
  root: string,
  path: string,
  key: string,
  { followLinks }: ListOptions,
): Promise<string> {
  const asked = resolve(root, path);
  const file = await existing(root, asked).catch(async (error: unknown) => {
    const target = await readlink(asked).catch(() => undefined);
    throw new UserError(
      'data',
      `${key}: found ${path}${target === undefined ? '' : `, a link to ${target}`}: ${fsReason(error)}`,
    );
  });
  if (followLinks) return file;
  // Of a pair of files (.hdr, .img), the voxels are in the second one.
  const pair = imageOfPair(file);
  for (const part of new Set([file, pair])) {
    const real = await realpath(part).catch(() => undefined);
    if (real === undefined || contains(root, real)) continue;
    throw new UserError(
      'data',
      `${key}: found ${part === file ? path : part}${real === path ? '' : `, which leads to ${real}`}, expected files ` +
        `inside ${root} (to read files elsewhere anyway: dataset.followLinks: true)`,
    );
  }
  return file;
}

/**
 * Resolves the files of wanted cases with `insideRoot` and returns a problem for each that fails, and the ids of their cases.
 * Files of other cases stay unresolved.
 */
export async function locate<T extends { readonly id: string; readonly file: string; readonly key: string }>(
  root: string,
  listed: readonly T[],
  options: ListOptions,
): Promise<{ files: T[]; problems: string[]; faulty: string[] }> {
  const problems: string[][] = listed.map(() => []);
  const files = await Promise.all(
    listed.map(async (entry, i) => {
      if (!(options.wanted?.has(entry.id) ?? true)) return entry;
      try {
        return { ...entry, file: await insideRoot(root, entry.file, entry.key, options) };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        problems[i] = [error.message];
        return entry;
      }
    }),
  );
  const faulty = listed.filter((_, i) => problems[i]?.length).map(({ id }) => id);
  return { files, problems: problems.flat(), faulty };
}

function contains(root: string, file: string): boolean {
  const path = relative(root, file);
  return !isAbsolute(path) && path.split(sep)[0] !== '..';
}

/**
 * The path of a file as spelt on disk. Names are compared in NFC, because disks and JSON files may encode the same accent in
 * different bytes. Rejects if there is no such file.
 */
async function existing(root: string, file: string): Promise<string> {
  try {
    await realpath(file);
    return file;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !contains(root, file)) throw error;
    let folder = root;
    for (const part of relative(root, file).split(sep)) {
      const names = await readdir(folder).catch(() => []);
      const name = names.find((candidate) => candidate.normalize('NFC') === part.normalize('NFC'));
      if (name === undefined) throw error;
      folder = join(folder, name);
    }
    await realpath(folder);
    return folder;
  }
}

// What the layouts share: finding volumes in folders, pairing images with labels, and keeping to the root folder.

import { readdir, readFile, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { UserError } from '../../errors.js';
import { type CaseFiles } from './index.js';

const VOLUME = /\.(nii|nii\.gz|hdr|hdr\.gz)$/i;
const MAX_LINES = 20;

/** A file name without the endings of a volume. */
export function caseId(file: string): string {
  return file.replace(VOLUME, '').normalize('NFC');
}

/** Volumes in a folder by name, sorted; names with a leading . or _ are skipped with a warning. */
export async function listVolumes(folder: string, warnings: string[]): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch {
    throw new UserError('data', `${folder}: no such folder, expected volumes (.nii, .nii.gz) in it`);
  }
  const volumes = names.filter((name) => VOLUME.test(name)).sort();
  const hidden = volumes.filter((name) => /^[._]/.test(name));
  if (hidden.length > 0)
    warnings.push(`${folder}: skipped ${hidden.length} hidden files (${hidden[0]}, ...)`);
  return volumes.filter((name) => !/^[._]/.test(name));
}

/** The real path of a file below the root. Throws if it is absent or leads out of the root. */
export async function insideRoot(root: string, path: string, source: string): Promise<string> {
  const outside = (found: string): UserError =>
    new UserError(
      'data',
      `${source}: found ${path}, which leads to ${found}, expected a file inside ${root}`,
    );
  if (isAbsolute(path)) throw outside(path);
  const joined = join(root, path);
  if (relative(root, joined).startsWith('..')) throw outside(joined);
  let real: string;
  try {
    real = await realpath(joined);
  } catch {
    throw new UserError('data', `${source}: found ${path}, but there is no such file in ${root}`);
  }
  const base = await realpath(root);
  if (real !== base && !real.startsWith(base + sep)) throw outside(real);
  return real;
}

/** Reads a dataset.json. Throws a UserError of kind `data` if it is absent or not a JSON object. */
export async function readDatasetJson(
  root: string,
): Promise<{ source: string; json: Record<string, unknown> }> {
  const source = join(root, 'dataset.json');
  let text: string;
  try {
    text = await readFile(source, 'utf8');
  } catch {
    throw new UserError(
      'data',
      `${source}: no such file; expected the dataset's folder (set dataset.root, or dataset.layout: folders)`,
    );
  }
  try {
    const json: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    if (typeof json === 'object' && json !== null && !Array.isArray(json))
      return { source, json: json as Record<string, unknown> };
  } catch (error) {
    throw new UserError('data', `${source}: is not JSON: ${(error as Error).message}`);
  }
  throw new UserError('data', `${source}: expected a JSON object`);
}

/** Pairs images with labels by case id. Throws a UserError naming every case that is incomplete or there twice. */
export function pairUp(
  source: string,
  images: readonly { id: string; channel: number; file: string }[],
  labels: readonly { id: string; file: string }[],
): CaseFiles[] {
  const problems: string[] = [];
  const byId = new Map<string, { images: string[]; label?: string }>();
  const lower = new Map<string, string>();
  const entry = (id: string): { images: string[]; label?: string } => {
    const known = lower.get(id.toLowerCase());
    if (known !== undefined && known !== id) problems.push(`${known} and ${id}: differ in case only`);
    lower.set(id.toLowerCase(), id);
    const found = byId.get(id) ?? { images: [] };
    byId.set(id, found);
    return found;
  };
  for (const { id, channel, file } of images) {
    const { images: files } = entry(id);
    if (files[channel] !== undefined) problems.push(`${id}: found two images, ${files[channel]} and ${file}`);
    files[channel] = file;
  }
  for (const { id, file } of labels) {
    const found = entry(id);
    if (found.label !== undefined) problems.push(`${id}: found two labels, ${found.label} and ${file}`);
    found.label = file;
  }
  const channels = Math.max(0, ...[...byId.values()].map(({ images: files }) => files.length));
  for (const [id, { images: files, label }] of byId) {
    if (files.length === 0) problems.push(`${id}: found a label without an image`);
    else if (label === undefined) problems.push(`${id}: found an image without a label`);
    for (let channel = 0; channel < channels && files.length > 0; channel++)
      if (files[channel] === undefined) problems.push(`${id}: has no image of channel ${channel}`);
  }
  if (byId.size === 0) problems.push('found no case, expected images and labels (.nii, .nii.gz)');
  throwAll(source, problems);
  return [...byId]
    .map(([id, { images: files, label }]) => ({ id, images: files, label: label as string }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Throws all problems as one UserError of kind `data`, if there are any. */
export function throwAll(source: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  const more = problems.length > MAX_LINES ? [`and ${problems.length - MAX_LINES} more`] : [];
  throw new UserError(
    'data',
    [...problems.slice(0, MAX_LINES), ...more].map((problem) => `${source}: ${problem}`).join('\n'),
  );
}

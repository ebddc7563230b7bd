// Finds the scans of an input: a file, or a folder with one file for each case; or, as in nnU-Net, one file for each channel:
// CASE_0000.nii.gz and so on.

import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { VOLUME } from '../data/layouts/paths.js';
import { UserError } from '../errors.js';
import { fsReason } from '../fs-reason.js';

/** A scan to segment. */
export interface Input {
  /** The name of its results. */
  readonly id: string;
  /** The ending of the input: `.nii` or `.nii.gz`. */
  readonly ending: '.nii' | '.nii.gz';
  /** One file for each channel, or one file with all channels. */
  readonly files: readonly string[];
  /** Why it cannot be segmented. */
  readonly problem?: string;
}

const CHANNEL = /^(.+)_(\d{4})$/;

/**
 * The scans in a file or folder for a model with this number of channels, sorted by name. Throws a UserError of kind `data` if
 * there is no scan, or the folder cannot be read.
 */
export function listInputs(path: string, channels: number): Input[] {
  const found = statOf(path);
  if (!found.isDirectory()) return [singleInput(path, channels)];
  const names = namesIn(path).filter((name) => VOLUME.test(name) && !name.startsWith('.'));
  if (names.length === 0)
    throw new UserError('data', `${path}: found no volumes, expected .nii or .nii.gz files`);
  const inputs = inputsOf(path, names, channels);
  const seen = new Map<string, string>();
  for (const { id, ending, files } of inputs) {
    const other = seen.get(id + ending);
    if (other !== undefined)
      throw new UserError(
        'data',
        `${path}: found ${basename(other)} and ${basename(files[0] as string)}, whose results would have one name`,
      );
    seen.set(id + ending, files[0] as string);
  }
  return inputs;
}

/** One file; with a name as in nnU-Net, it also stands for the other channels beside it. */
function singleInput(path: string, channels: number): Input {
  const [, id] = CHANNEL.exec(stemOf(path)) ?? [];
  if (channels === 1 || id === undefined)
    return {
      id: /_0000$/.test(stemOf(path)) ? (id as string) : stemOf(path),
      ending: endingOf(path),
      files: [path],
    };
  const beside = namesIn(dirname(path)).filter(
    (name) => VOLUME.test(name) && CHANNEL.exec(stemOf(name))?.[1] === id,
  );
  return grouped(dirname(path), id, beside, channels);
}

function inputsOf(folder: string, names: readonly string[], channels: number): Input[] {
  const groups = new Map<string, string[]>();
  const plain: string[] = [];
  for (const name of names) {
    const id = CHANNEL.exec(stemOf(name))?.[1];
    if (id === undefined) plain.push(name);
    else groups.set(id, [...(groups.get(id) ?? []), name]);
  }
  // With a single channel, four digits at the end may also number the cases.
  const numbered =
    channels === 1 &&
    [...groups.values()].some((group) => group.some((name) => !/_0000$/.test(stemOf(name))));
  const single = (name: string): Input => ({
    id: stemOf(name),
    ending: endingOf(name),
    files: [join(folder, name)],
  });
  const inputs = numbered
    ? names.map(single)
    : [...plain.map(single), ...[...groups].map(([id, group]) => grouped(folder, id, group, channels))];
  return inputs.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function grouped(folder: string, id: string, names: readonly string[], channels: number): Input {
  const sorted = [...names].sort();
  const found = sorted.map((name) => Number(CHANNEL.exec(stemOf(name))?.[2]));
  const wanted = Array.from({ length: channels }, (_, i) => i);
  const digits = (list: readonly number[]): string => list.map((n) => String(n).padStart(4, '0')).join(', ');
  return {
    id,
    ending: endingOf(sorted[0] as string),
    files: sorted.map((name) => join(folder, name)),
    ...(found.join() !== wanted.join() && {
      problem: `${join(folder, id)}: found channels ${digits(found)}, but the model has ${digits(wanted)}`,
    }),
  };
}

const stemOf = (path: string): string => basename(path).replace(VOLUME, '');
const endingOf = (path: string): Input['ending'] => (/\.nii$/i.test(path) ? '.nii' : '.nii.gz');

function statOf(path: string) {
  try {
    return statSync(path);
  } catch (error) {
    throw new UserError('data', `${path}: cannot be read: ${fsReason(error)}`);
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    throw new UserError('data', `${folder}: cannot be read: ${fsReason(error)}`);
  }
}

// Opens the config of a command, and tells the user which one it is if none was given.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type LoadedExperiment, loadExperiment } from '../config/load.js';
import { UserError } from '../errors.js';
import { quoteWord } from '../quote-word.js';
import { note } from './terminal/output.js';

/**
 * Loads the experiment of a command line; without an argument prints on stderr which one it is. Throws a UserError of kind
 * `usage`; if the argument is not a config, the error states what to type instead.
 */
export function openExperiment(path: string | undefined, set: readonly string[]): LoadedExperiment {
  let loaded: LoadedExperiment;
  try {
    loaded = loadExperiment(path, set);
  } catch (error) {
    const advice = path !== undefined && error instanceof UserError ? insteadOf(path) : undefined;
    throw advice === undefined ? error : new UserError('usage', advice);
  }
  if (path === undefined) note(`Config: ${loaded.source}`);
  return loaded;
}

/** What to type instead if a path is not a config; undefined if it may be one. */
function insteadOf(path: string): string | undefined {
  const expected = 'expected an experiment config (YAML)';
  if (!existsSync(path))
    return /^[\w.]+=/.test(path)
      ? `${path}: ${expected}; a setting is given as --set ${quoteWord(path)}`
      : undefined;
  if (statSync(path).isDirectory()) {
    const inside = ['lunet.yaml', 'lunet.yml', 'experiment.yaml'].find((name) =>
      existsSync(join(path, name)),
    );
    return (
      `${path}: is a folder, ${expected}; type: lunet train ` +
      (inside === undefined ? settingsFor(path) : quoteWord(join(path, inside)))
    );
  }
  if (/\.nii(\.gz)?$|\.(hdr|img|mha|nrrd|mgz|dcm)$/i.test(path))
    return `${path}: is a volume, ${expected}; to train on a folder of volumes: lunet train --set dataset.root=FOLDER`;
  if (/\.safetensors$/i.test(path))
    return `${path}: is a network, ${expected}; to look at it: lunet info ${quoteWord(path)}`;
  return undefined;
}

/** Settings for the folder of a data set, as far as its files show its layout. */
function settingsFor(root: string): string {
  const has = (name: string): boolean => existsSync(join(root, name));
  const described = has('dataset.json') ? readJson(join(root, 'dataset.json')) : undefined;
  const layout = described === undefined ? 'folders' : 'file_ending' in described ? 'nnunet' : 'decathlon';
  const settings = [
    `dataset.root=${root}`,
    `dataset.layout=${layout}`,
    `dataset.labels=${labelsOf(described)}`,
  ];
  return settings.map((setting) => `--set ${quoteWord(setting)}`).join(' ');
}

function readJson(path: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Labels as text for `--set`; Decathlon files map values to names, nnU-Net files names to values. */
function labelsOf(described: Record<string, unknown> | undefined): string {
  const pairs = Object.entries((described?.['labels'] ?? {}) as Record<string, unknown>).map(
    ([key, value]): [string, number] =>
      /^\d+$/.test(key) ? [String(value), Number(key)] : [key, Number(value)],
  );
  const labels = pairs.filter(([name, value]) => value > 0 && /^\p{L}[\p{L}\p{N} ._-]*$/u.test(name));
  return `{${(labels.length > 0 ? labels : [['NAME', 1]]).map(([name, value]) => `${name}: ${value}`).join(', ')}}`;
}

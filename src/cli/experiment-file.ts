// The config that a command works on: opened, and named where it was not given.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type LoadedExperiment, loadExperiment } from '../config/load.js';
import { UserError } from '../errors.js';
import { quoteWord } from '../quote-word.js';
import { note } from './terminal/output.js';

/**
 * Loads the experiment of a command line; without an argument stderr says which one that is. Throws a UserError of kind
 * `usage` that says, where something else than a config was given, what to type instead.
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

/** What to type where a path is something else than a config; undefined where it may be one. */
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

/** Settings that lead to a data set's folder, as far as its files say what it is. */
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

/** Labels as `--set` takes them: value to name in the Decathlon's files, name to value in nnU-Net's. */
function labelsOf(described: Record<string, unknown> | undefined): string {
  const pairs = Object.entries((described?.['labels'] ?? {}) as Record<string, unknown>).map(
    ([key, value]): [string, number] =>
      /^\d+$/.test(key) ? [String(value), Number(key)] : [key, Number(value)],
  );
  const labels = pairs.filter(([name, value]) => value > 0 && /^\p{L}[\p{L}\p{N} ._-]*$/u.test(name));
  return `{${(labels.length > 0 ? labels : [['NAME', 1]]).map(([name, value]) => `${name}: ${value}`).join(', ')}}`;
}

// Opens the config of a command, and tells the user which one it is if none was given.

import { existsSync, statSync } from 'node:fs';
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
      `${path}: is a folder, ${expected}; type: lunet ` +
      (inside === undefined ? `init ${quoteWord(path)}` : `train ${quoteWord(join(path, inside))}`)
    );
  }
  if (/\.nii(\.gz)?$|\.(hdr|img|mha|nrrd|mgz|dcm)$/i.test(path))
    return `${path}: is a volume, ${expected}; for a folder of volumes: lunet init FOLDER`;
  if (/\.safetensors$/i.test(path))
    return `${path}: is a network, ${expected}; to look at it: lunet info ${quoteWord(path)}`;
  return undefined;
}

// A copy of the config at the start of an experiment. Runs that start later, from a queue or after other runs, read this
// copy, since the user may edit the original file in the meantime.

import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { type Experiment } from '../config/schema.js';
import { commitFile, makeFolder } from '../runs/commit.js';
import { experimentFolder } from '../runs/folders.js';
import { sha256 } from '../sha256.js';

/**
 * Writes a resolved config below the folder of the experiment. Its name is derived from its content, so that no other
 * config ever replaces it. Returns its absolute path. Relative paths in it stay relative: it must be read from the same
 * working folder, without LUNET_OUTPUT.
 */
export function keepConfig(config: Experiment): string {
  const text = stringify(config, { aliasDuplicateObjects: false, lineWidth: 0 });
  const digest = sha256(text).slice(0, 16);
  const folder = keptFolder(config);
  const path = join(folder, `${digest}.yaml`);
  if (!isKept(path, text)) {
    makeFolder(folder);
    commitFile(path, text);
  }
  return path;
}

/** Absolute paths of all kept configs of an experiment. */
export function keptConfigs(config: Experiment): string[] {
  const folder = keptFolder(config);
  let names: string[] = [];
  try {
    names = readdirSync(folder);
  } catch {
    // None was kept, or the folder cannot be read.
  }
  return names.filter((name) => /^[0-9a-f]{16}\.yaml$/.test(name)).map((name) => join(folder, name));
}

function keptFolder(config: Experiment): string {
  return resolve(experimentFolder(config), 'configs');
}

function isKept(path: string, text: string): boolean {
  try {
    return readFileSync(path, 'utf8') === text;
  } catch {
    return false;
  }
}

// The configs that come with lunet; they can be used by name from any folder.

import { lstatSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suggestion } from './suggest.js';

/** The folder of the shipped configs. */
export const shippedConfigs = join(dirname(fileURLToPath(import.meta.url)), '../../../configs');

/** A shipped config: its name, and the first line of its description. */
export interface ShippedConfig {
  readonly name: string;
  readonly summary: string;
}

/** All shipped configs, sorted by name. */
export function listShipped(): ShippedConfig[] {
  return shippedNames().map((name) => {
    const comments = readFileSync(shippedPath(name), 'utf8').matchAll(/^# *(.*)$/gm);
    const said = [...comments].map(([, line]) => line as string);
    return { name, summary: said.find((line) => !line.startsWith('yaml-language-server')) ?? '' };
  });
}

/** The shipped config of this name, with or without .yaml; undefined if there is none, or if a file here has this path. */
export function findShipped(argument: string): string | undefined {
  const name = argument.replace(ENDING, '');
  return shippedNames().includes(name) && !isFile(argument) ? shippedPath(name) : undefined;
}

/** A hint for the message about a missing file. */
export function shippedHint(argument: string): string {
  const names = shippedNames();
  const name = basename(argument).replace(ENDING, '');
  if (names.includes(name)) return `; the shipped config is called ${name}`;
  if (/[\\/]/.test(argument)) return '';
  return `${ENDING.test(argument) ? '' : `, or one of ${names.join(', ')}`}${suggestion(name, names)}`;
}

/** The file of a shipped config. */
export function shippedPath(name: string): string {
  return join(shippedConfigs, `${name}.yaml`);
}

const ENDING = /\.ya?ml$/i;

/** Whether the path exists and is not a folder. A broken link counts: reading it reports the error. */
function isFile(path: string): boolean {
  try {
    return !statSync(path).isDirectory();
  } catch {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  }
}

function shippedNames(): string[] {
  return readdirSync(shippedConfigs)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'))
    .sort();
}

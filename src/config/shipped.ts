// The configs that lunet ships, which go by their names from any folder.

import { lstatSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suggestion } from './suggest.js';

/** Their folder. */
export const shippedConfigs = join(dirname(fileURLToPath(import.meta.url)), '../../../configs');

/** A shipped config: its name, and the first line of what it says of itself. */
export interface ShippedConfig {
  readonly name: string;
  readonly summary: string;
}

/** All of them, by name. */
export function listShipped(): ShippedConfig[] {
  return shippedNames().map((name) => {
    const comments = readFileSync(shippedPath(name), 'utf8').matchAll(/^# *(.*)$/gm);
    const said = [...comments].map(([, line]) => line as string);
    return { name, summary: said.find((line) => !line.startsWith('yaml-language-server')) ?? '' };
  });
}

/** The shipped config that an argument names, with or without .yaml; undefined where a file here goes by it, or none. */
export function findShipped(argument: string): string | undefined {
  const name = argument.replace(ENDING, '');
  return shippedNames().includes(name) && !isFile(argument) ? shippedPath(name) : undefined;
}

/** What to say besides of a file that there is not. */
export function shippedHint(argument: string): string {
  const names = shippedNames();
  const name = basename(argument).replace(ENDING, '');
  if (names.includes(name)) return `; lunet's own config goes by: ${name}`;
  if (/[\\/]/.test(argument)) return '';
  return `${ENDING.test(argument) ? '' : `, or one of ${names.join(', ')}`}${suggestion(name, names)}`;
}

/** The file of a shipped config. */
export function shippedPath(name: string): string {
  return join(shippedConfigs, `${name}.yaml`);
}

const ENDING = /\.ya?ml$/i;

/** Whether anything but a folder has this path; a link that leads nowhere is for the reader to complain of. */
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

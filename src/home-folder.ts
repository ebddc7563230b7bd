// `~` at the start of a path, for the places that no shell has read: configs, --set, the environment.

import { homedir } from 'node:os';
import { join } from 'node:path';

/** Paths but those that begin with another user's home folder, which only a shell can look up. */
export const ownPath = /^(?!~[^/])/;

/** What `ownPath` asks for, in words. */
export const ownPathExpected =
  'expected a path, where only ~/ stands for a home folder, your own (a folder with such a name: ./~NAME)';

/** A path with `~` or `~/` at its start replaced by the user's home folder. */
export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homeFolder(), path.slice(1)) : path;
}

/** The user's home folder; the root folder for a user without one, as container systems set HOME then. */
export function homeFolder(): string {
  try {
    return homedir() || '/';
  } catch {
    return '/';
  }
}

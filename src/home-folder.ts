// Expands `~` at the start of paths that no shell has expanded: in configs, --set and the environment.

import { homedir } from 'node:os';
import { join } from 'node:path';

/** Matches paths except those that begin with the home folder of another user, which only a shell can expand. */
export const ownPath = /^(?!~[^/])/;

/** The message for paths that do not match `ownPath`. */
export const ownPathExpected =
  'expected a path; only ~/ is expanded, to your own home folder (for a folder of that name write ./~NAME)';

/** A path with `~` or `~/` at its start replaced by the home folder of the user. */
export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homeFolder(), path.slice(1)) : path;
}

/** The home folder of the user; for a user without one the root folder, as container systems set HOME. */
export function homeFolder(): string {
  try {
    return homedir() || '/';
  } catch {
    return '/';
  }
}

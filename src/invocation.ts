// How a user calls lunet here, for lines that say what to type.

import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/lunet.js', import.meta.url));

/** `lunet` where the shell finds this one, `npx lunet` in a project that has it, else node with its path. */
export function lunetCommand(env: NodeJS.ProcessEnv = process.env): string {
  // npx and npm run put a project's own programs into PATH; the shell that they were called from has them not.
  const byNpm = env['npm_command'] !== undefined;
  if (byNpm || isThis('node_modules/.bin/lunet')) return 'npx lunet';
  if ((env['PATH'] ?? '').split(delimiter).some((folder) => isThis(join(folder, 'lunet')))) return 'lunet';
  return `node ${/^[\w./-]+$/.test(BIN) ? BIN : JSON.stringify(BIN)}`;
}

/** Whether a path leads to this lunet. */
function isThis(path: string): boolean {
  return [path, `${path}.cmd`].some(
    (each) => existsSync(each) && (each.endsWith('.cmd') || realpathSync(each) === realpathSync(BIN)),
  );
}

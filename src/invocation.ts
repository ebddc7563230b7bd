// How the user starts lunet here, for messages that tell what to type.

import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/lunet.js', import.meta.url));

/** `lunet` if the shell finds this installation, `npx lunet` in a project that has it, else node with its path. */
export function lunetCommand(env: NodeJS.ProcessEnv = process.env): string {
  // npx and npm run add the programs of a project to PATH; the shell of the user does not have them.
  const byNpm = env['npm_command'] !== undefined;
  if (byNpm || isThis('node_modules/.bin/lunet')) return 'npx lunet';
  if ((env['PATH'] ?? '').split(delimiter).some((folder) => isThis(join(folder, 'lunet')))) return 'lunet';
  return `node ${/^[\w./-]+$/.test(BIN) ? BIN : JSON.stringify(BIN)}`;
}

/** Whether a path leads to this installation of lunet. */
function isThis(path: string): boolean {
  return [path, `${path}.cmd`].some(
    (each) => existsSync(each) && (each.endsWith('.cmd') || realpathSync(each) === realpathSync(BIN)),
  );
}

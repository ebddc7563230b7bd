// Where lunet keeps what it can make again: prepared cases, TensorFlow.

import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder `lunet` below XDG_CACHE_HOME or ~/.cache. */
export function userCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'lunet');
}

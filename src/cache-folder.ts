// The folder for files that lunet can recreate: prepared cases, the native engine, TensorFlow.

import { join } from 'node:path';
import { UserError } from './errors.js';
import { expandHome, homeFolder, ownPath, ownPathExpected } from './home-folder.js';

/**
 * LUNET_CACHE (`off` for none), else lunet's folder under XDG_CACHE_HOME or ~/.cache. Throws a UserError of kind `usage`
 * if LUNET_CACHE names another user's home folder.
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const own = env['LUNET_CACHE'];
  if (own === 'off') return undefined;
  if (!own) return userCacheFolder(env);
  if (!ownPath.test(own)) throw new UserError('usage', `LUNET_CACHE: found ${own}, ${ownPathExpected}`);
  return expandHome(own);
}

/** The folder `lunet` below XDG_CACHE_HOME or ~/.cache. */
export function userCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] || join(homeFolder(), '.cache'), 'lunet');
}

// Finds the compiled addon and explains every failed attempt, for errors and for `lunet doctor`. Builds nothing.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Addon } from './addon.js';
import { buildFolders, loadBuild, loadFile, oneLine } from './builds.js';

/** The addon and where it was found, or why it could not be loaded, one line an attempt. */
export type LoadResult = { addon: Addon; path: string } | { addon?: undefined; attempts: string[] };

/** Loads the addon from LUNET_NATIVE if that is set, and then from nowhere else; otherwise from the kept builds. */
export function loadAddon(): LoadResult {
  const given = process.env['LUNET_NATIVE'];
  return given ? loadGiven(resolve(given)) : loadBuilt();
}

function loadGiven(path: string): LoadResult {
  if (!existsSync(path)) return { attempts: [`LUNET_NATIVE=${path}: no such file`] };
  try {
    return { addon: loadFile(path), path };
  } catch (error) {
    return { attempts: [`LUNET_NATIVE=${path}: ${oneLine(error)}`] };
  }
}

/** Loads the addon from where builds of it are kept. */
export function loadBuilt(): LoadResult {
  const attempts: string[] = [];
  for (const folder of buildFolders()) {
    const loaded = loadBuild(folder);
    if (loaded.addon) return loaded;
    attempts.push(`${folder}: ${loaded.problem}`);
  }
  return { attempts };
}

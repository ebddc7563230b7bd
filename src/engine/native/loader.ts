// Loads the compiled addon and explains every failed attempt, for errors and for `lunet doctor`. Does not build it.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Addon } from './addon.js';
import { buildFolders, loadBuild, loadFile, loadPrebuild, oneLine, prebuildFolder } from './builds.js';

/** The addon and its path, or why it could not be loaded, one line per attempt. */
export type LoadResult = { addon: Addon; path: string } | { addon?: undefined; attempts: string[] };

/**
 * Loads the addon from LUNET_NATIVE if that is set (then only from there), else the build for this machine, else the engine
 * in the package.
 */
export function loadAddon(): LoadResult {
  const given = process.env['LUNET_NATIVE'];
  return given ? loadGiven(resolve(given)) : loadKept();
}

function loadGiven(path: string): LoadResult {
  if (!existsSync(path)) return { attempts: [`LUNET_NATIVE=${path}: no such file`] };
  try {
    return { addon: loadFile(path), path };
  } catch (error) {
    return { attempts: [`LUNET_NATIVE=${path}: ${oneLine(error)}`] };
  }
}

/** Loads the build for this machine, else the engine in the package. */
export function loadKept(): LoadResult {
  const built = loadBuilt();
  if (built.addon) return built;
  const prebuilt = loadPrebuild();
  return prebuilt.addon
    ? prebuilt
    : { attempts: [...built.attempts, `${prebuildFolder()}: ${prebuilt.problem}`] };
}

/** Loads the build for this machine. */
export function loadBuilt(): LoadResult {
  const attempts: string[] = [];
  for (const folder of buildFolders()) {
    const loaded = loadBuild(folder);
    if (loaded.addon) return loaded;
    attempts.push(`${folder}: ${loaded.problem}`);
  }
  return { attempts };
}

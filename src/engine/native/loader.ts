// Finds the compiled addon and explains every failed attempt, for errors and for `lunet doctor`.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Addon } from './addon.js';

/** The addon, or why it could not be loaded, one line an attempt. */
export type LoadResult = { addon: Addon; path: string } | { addon?: undefined; attempts: string[] };

// This file runs from dist/src/engine/native; the addon is built beside dist.
const root = join(dirname(fileURLToPath(import.meta.url)), '../../../..');

/** Loads the addon from `LUNET_NATIVE` or from build/lunet.node. */
export function loadAddon(): LoadResult {
  const attempts: string[] = [];
  const candidates = process.env['LUNET_NATIVE']
    ? [process.env['LUNET_NATIVE']]
    : [join(root, 'build/lunet.node')];
  for (const path of candidates) {
    if (!existsSync(path)) {
      const note = join(dirname(path), 'native-build.txt');
      attempts.push(
        existsSync(note)
          ? `${path}: not built: ${readFileSync(note, 'utf8').trim()}`
          : `${path}: not built; run: npm run build`,
      );
      continue;
    }
    try {
      return { addon: createRequire(import.meta.url)(path) as Addon, path };
    } catch (error) {
      attempts.push(`${path}: ${(error as Error).message}; run: npm run build -- --force`);
    }
  }
  return { attempts };
}

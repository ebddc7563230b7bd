// Starts the real command line in a separate folder; shared by the tests of commands.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCsv } from '../../src/runs/csv.js';

/** bin/lunet.js of this checkout. */
export const BIN = fileURLToPath(new URL('../../../bin/lunet.js', import.meta.url));

/** Rows of a CSV file, as text by column. */
export const readCsv = (path: string): Record<string, string>[] => parseCsv(readFileSync(path));

/** A new empty folder. */
export function emptyFolder(): string {
  return mkdtempSync(join(tmpdir(), 'lunet-'));
}

/** A new folder whose programs find this checkout as the package `lunet`. */
export function projectWithLunet(): string {
  const folder = emptyFolder();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(fileURLToPath(new URL('../../..', import.meta.url)), join(folder, 'node_modules/lunet'));
  return folder;
}

/** The environment without variables that change the output. */
export function plainEnvironment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('LUNET_'));
  return { ...Object.fromEntries(own), NO_COLOR: '1', COLUMNS: '100', ...more };
}

/** Runs `lunet ARGS` in a folder to its end. */
export function lunet(
  args: readonly string[],
  { cwd = emptyFolder(), env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [BIN, ...args], {
    cwd,
    encoding: 'utf8',
    env: plainEnvironment(env),
    timeout: 600_000,
  });
}

// The TensorFlow set-up on disk: a folder with a record of its content; the record is written last.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { userCacheFolder } from '../../cache-folder.js';
import { UserError } from '../../errors.js';
import { commitFile, makeFolder } from '../../runs/commit.js';

/** The version that is tested. */
export const TENSORFLOW_VERSION = '2.21.0';
export const TFJS_VERSION = '4.22.0';

export type TensorFlowKind = 'cpu' | 'cuda' | 'own';

/** The record of a set-up. */
export interface Installation {
  readonly version: 1;
  readonly kind: TensorFlowKind;
  /** The version that the TensorFlow library reports. */
  readonly tensorflow: string;
  /** Devices that the self-check found. */
  readonly device: string;
  /** Loads the binding without log messages of TensorFlow. */
  readonly quiet: string;
  readonly binding: string;
  /** The folder that contains node_modules/@tensorflow/tfjs-node-gpu. */
  readonly packages: string;
  readonly date: string;
}

const RECORD = 'setup.json';

/** The file with the folder that was chosen with `--dir`. */
const pointer = (): string => join(userCacheFolder(), 'tensorflow.json');

/** The folder of the set-up: LUNET_TENSORFLOW, else the one chosen last, else the cache folder of lunet. */
export function installationFolder(): string {
  if (process.env['LUNET_TENSORFLOW']) return resolve(process.env['LUNET_TENSORFLOW']);
  return chosenFolder() ?? join(userCacheFolder(), 'tensorflow');
}

function chosenFolder(): string | undefined {
  if (!existsSync(pointer())) return undefined;
  try {
    const { folder } = JSON.parse(readFileSync(pointer(), 'utf8')) as { folder?: unknown };
    return typeof folder === 'string' ? folder : undefined;
  } catch {
    // Ignores a damaged file; the next set-up rewrites it.
    return undefined;
  }
}

/** The record of the set-up; undefined if there is none, or if it is incomplete. */
export function readInstallation(folder = installationFolder()): Installation | undefined {
  const path = join(folder, RECORD);
  if (!existsSync(path)) return undefined;
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as Installation;
    if (record.version === 1) return record;
  } catch {
    // Reported below.
  }
  throw new UserError('engine', `${path}: is damaged; run: lunet setup tensorflow`);
}

/** Records a complete set-up, and that this folder is the one to use. */
export function writeInstallation(folder: string, record: Installation): void {
  commitFile(join(folder, RECORD), `${JSON.stringify(record, null, 2)}\n`);
  makeFolder(userCacheFolder());
  commitFile(pointer(), `${JSON.stringify({ folder }, null, 2)}\n`);
}

/** Removes the record: from now on the set-up counts as incomplete. */
export function withdrawInstallation(folder: string): void {
  rmSync(join(folder, RECORD), { force: true });
}

/** Removes a set-up completely. Returns false if there was none. */
export function removeInstallation(folder = installationFolder()): boolean {
  const there = existsSync(folder);
  // The record first, so that an interrupted removal leaves an incomplete set-up, which is ignored.
  withdrawInstallation(folder);
  rmSync(folder, { recursive: true, force: true });
  if (chosenFolder() === folder) rmSync(pointer(), { force: true });
  return there;
}

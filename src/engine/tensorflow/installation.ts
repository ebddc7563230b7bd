// Where TensorFlow is, once it has been set up: a folder with a record, written last, that says what is in it.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { userCacheFolder } from '../../cache-folder.js';
import { UserError } from '../../errors.js';
import { commitFile, makeFolder } from '../../runs/commit.js';

/** The version that is tested. */
export const TENSORFLOW_VERSION = '2.21.0';
export const TFJS_VERSION = '4.22.0';

export type TensorFlowKind = 'cpu' | 'cuda' | 'own';

/** What a set-up left behind. */
export interface Installation {
  readonly version: 1;
  readonly kind: TensorFlowKind;
  /** TensorFlow's version as its library says it. */
  readonly tensorflow: string;
  /** Devices that the self-check saw. */
  readonly device: string;
  /** Loads the binding without TensorFlow's chatter. */
  readonly quiet: string;
  readonly binding: string;
  /** Below it is node_modules/@tensorflow/tfjs-node-gpu. */
  readonly packages: string;
  readonly date: string;
}

const RECORD = 'setup.json';

/** The file that says which folder was chosen with `--dir`. */
const pointer = (): string => join(userCacheFolder(), 'tensorflow.json');

/** The folder of the set-up: LUNET_TENSORFLOW, else the one chosen last, else lunet's cache folder. */
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
    // A damaged pointer points nowhere; setting up again writes it anew.
    return undefined;
  }
}

/** What has been set up; undefined if nothing has, or only half. */
export function readInstallation(folder = installationFolder()): Installation | undefined {
  const path = join(folder, RECORD);
  if (!existsSync(path)) return undefined;
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as Installation;
    if (record.version === 1) return record;
  } catch {
    // Said below.
  }
  throw new UserError('engine', `${path}: is damaged; run: lunet setup tensorflow`);
}

/** Records a set-up that is complete, and that this folder is the one to use. */
export function writeInstallation(folder: string, record: Installation): void {
  commitFile(join(folder, RECORD), `${JSON.stringify(record, null, 2)}\n`);
  makeFolder(userCacheFolder());
  commitFile(pointer(), `${JSON.stringify({ folder }, null, 2)}\n`);
}

/** Takes the record away: from here on the set-up counts as unfinished. */
export function withdrawInstallation(folder: string): void {
  rmSync(join(folder, RECORD), { force: true });
}

/** Removes a set-up whole. Returns false if there was none. */
export function removeInstallation(folder = installationFolder()): boolean {
  const there = existsSync(folder);
  // The record first: what is left of an interrupted removal counts for nothing.
  withdrawInstallation(folder);
  rmSync(folder, { recursive: true, force: true });
  if (chosenFolder() === folder) rmSync(pointer(), { force: true });
  return there;
}

// Shared by the parts of the fault campaign: counting, the small experiment that they damage, and its complete runs.

import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RandomStream } from '../../src/random.js';
import { lunet } from '../cli/lunet.js';
import { TINY } from '../cli/tiny.js';

/** The result of a part of the campaign. */
export interface Outcome {
  /** Descriptions of actions, with their numbers. */
  readonly what: string;
  tried: number;
  /** Violations, each once with its cause. */
  readonly faults: string[];
}

/** One part of the campaign: runs until `until` (ms, as Date.now), at least one round. */
export type Campaign = (until: number, random: RandomStream) => Promise<Outcome[]>;

/** The commands of the campaign, in order; each needs the previous ones. */
export const COMMANDS: readonly (readonly string[])[] = [
  ['train', '--model', 'unet-n2', '--seeds', '1'],
  ['prune', '--strategy', 'stamp', '--seeds', '1'],
  ['retrain', '--from-snapshot', '50%', '--init', 'inherit', '--seeds', '1'],
];

/** The folder of the run of each command. */
export const FOLDERS: readonly string[] = [
  'runs/tiny/train/unet-n2/seed-1',
  'runs/tiny/prune/stamp/seed-1',
  'runs/tiny/retrain/stamp/50%-inherit/seed-1',
];

/** A new folder with the experiment's config. It is removed by `discard`. */
export function newFolder(): string {
  const cwd = mkdtempSync(join(tmpdir(), 'lunet-faults-'));
  writeFileSync(join(cwd, 'lunet.yaml'), TINY);
  return cwd;
}

export function discard(cwd: string): void {
  rmSync(cwd, { recursive: true, force: true });
}

let whole: string | undefined;

/** The folder with the undisturbed runs of all commands; must not be changed. */
export function wholeRuns(): string {
  if (whole !== undefined) return whole;
  const cwd = newFolder();
  for (const args of COMMANDS) {
    const { status, stderr } = lunet(args, { cwd });
    if (status !== 0) throw new Error(`lunet ${args.join(' ')} fails undisturbed: ${stderr}`);
  }
  process.on('exit', () => discard(cwd));
  return (whole = cwd);
}

/** A copy of the complete runs, to be damaged. */
export function copyOfWhole(): string {
  const cwd = newFolder();
  cpSync(wholeRuns(), cwd, { recursive: true });
  return cwd;
}

// Kills: each command is killed (SIGKILL) at random times and at random failpoints until it completes. No row on disk may be
// lost, every run must resume, and the result must be bit-identical to that of a run that was never killed.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAILPOINTS } from '../../src/runs/commit.js';
import { sha256 } from '../../src/sha256.js';
import { type RandomStream } from '../../src/random.js';
import { BIN, plainEnvironment, readCsv } from '../cli/lunet.js';
import { COMMANDS, type Campaign, FOLDERS, type Outcome, discard, newFolder, wholeRuns } from './campaign.js';

const MOST_KILLS = 40;

export const kills: Campaign = async (until, random) => {
  const outcome: Outcome = { what: 'kills of train, prune, retrain', tried: 0, faults: [] };
  do {
    const cwd = newFolder();
    for (const [i, args] of COMMANDS.entries()) {
      const folder = FOLDERS[i] as string;
      await killUntilDone(cwd, args, folder, random, outcome);
      const [got, expected] = [cwd, wholeRuns()].map((root) => finalBits(join(root, folder)));
      if (got !== expected) outcome.faults.push(`lunet ${args.join(' ')}: ends with other bits after kills`);
    }
    discard(cwd);
  } while (Date.now() < until);
  return [outcome];
};

/** Starts and kills a command repeatedly until it ends by itself. */
async function killUntilDone(
  cwd: string,
  args: readonly string[],
  folder: string,
  random: RandomStream,
  outcome: Outcome,
): Promise<void> {
  let rows: string[] = [];
  for (let attempt = 0; ; attempt++) {
    const gentle = attempt >= MOST_KILLS;
    const atPoint = random.uniform() < 0.5;
    const point = FAILPOINTS[random.integer(FAILPOINTS.length)] as string;
    const env = atPoint && !gentle ? { LUNET_FAILPOINT: `${point}:${1 + random.integer(12)}` } : {};
    const { signal, code, stderr } = await start(
      cwd,
      [...args, '--threads', String(1 + random.integer(2))],
      env,
      atPoint || gentle ? undefined : 100 + random.integer(1200),
    );
    if (code === 0) return;
    if (signal !== 'SIGKILL') {
      outcome.faults.push(`lunet ${args.join(' ')}: does not go on after a kill: ${stderr.trim()}`);
      return;
    }
    outcome.tried++;
    const now = committedRows(join(cwd, folder));
    if (rows.some((row, i) => row !== now[i]))
      outcome.faults.push(
        `lunet ${args.join(' ')}: lost a row that was on disk (${rows.length} rows before)`,
      );
    rows = now;
  }
}

async function start(
  cwd: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  killAfterMs: number | undefined,
): Promise<{ signal: NodeJS.Signals | null; code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd,
    env: plainEnvironment(env),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<{ signal: NodeJS.Signals | null; code: number | null }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  if (killAfterMs !== undefined) void sleep(killAfterMs).then(() => child.kill('SIGKILL'));
  return { ...(await ended), stderr };
}

/** The rows of a run on disk, without their times, which differ between attempts. */
function committedRows(folder: string): string[] {
  return ['epochs.csv', 'steps.csv']
    .map((name) => join(folder, name))
    .filter(existsSync)
    .flatMap((path) => readCsv(path).map((row) => JSON.stringify({ ...row, seconds: '' })));
}

/** The weights and rows of a finished run. */
function finalBits(folder: string): string {
  const weights = join(folder, 'model.safetensors');
  return existsSync(weights)
    ? sha256(sha256(readFileSync(weights)) + committedRows(folder).join())
    : `${folder} has not finished`;
}

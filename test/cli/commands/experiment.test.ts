// `lunet run` and `lunet status`: the whole experiment, killed and started again, with a run that fails.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BIN, emptyFolder, lunet, plainEnvironment } from '../lunet.js';
import { TINY } from '../tiny.js';

const RUNS = 16;

function workFolder(): string {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'lunet.yaml'), TINY);
  return cwd;
}

/** Final weights of every run, by path. */
function weights(cwd: string): Record<string, string> {
  const root = join(cwd, 'runs/tiny');
  const files = (readdirSync(root, { recursive: true }) as string[]).filter((file) =>
    file.endsWith('/model.safetensors'),
  );
  return Object.fromEntries(
    files.sort().map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(join(root, file)))
        .digest('hex'),
    ]),
  );
}

interface Status {
  readonly counts: Record<string, number>;
  readonly runs: readonly { id: string; state: string; done: number; total: number; error?: string }[];
}

const status = (cwd: string): Status => JSON.parse(lunet(['status', '--json'], { cwd }).stdout) as Status;

describe('lunet run', () => {
  const whole = workFolder();
  it('says before what it would do, with time and disk space, and does nothing', () => {
    const { status: code, stdout } = lunet(['run', '--dry-run'], { cwd: whole });
    assert.equal(code, 0);
    assert.match(stdout, /^train\/unet-n2\/seed-1 +to start +about [\d.]+ s$/m);
    assert.match(stdout, /^retrain\/stamp\/50%-random\/seed-2 +to start/m);
    assert.match(stdout, new RegExp(`^${RUNS} of ${RUNS} runs to do: about .* s in all .* MB of disk`, 'm'));
    const json = JSON.parse(lunet(['run', '--dry-run', '--json'], { cwd: whole }).stdout) as {
      seconds: number;
      bytes: number;
      runs: object[];
    };
    assert.equal(json.runs.length, RUNS);
    assert.ok(json.seconds > 0 && json.bytes > 0);
    assert.ok(!existsSync(join(whole, 'runs')));
  });
  it('does everything, two runs at a time, and reports', () => {
    const { status: code, stdout, stderr } = lunet(['run', '--jobs', '2'], { cwd: whole });
    assert.equal(code, 0, stderr);
    assert.match(stderr, new RegExp(`${RUNS}/${RUNS} `));
    assert.match(stdout, /stamp\/50%-random/);
    assert.ok(existsSync(join(whole, 'runs/tiny/report/index.html')));
    assert.deepEqual(status(whole).counts, { finished: RUNS });
    for (const { done, total } of status(whole).runs) assert.equal(done, total);
  });
  it('does nothing twice', () => {
    const before = weights(whole);
    const { status: code, stderr } = lunet(['run'], { cwd: whole });
    assert.equal(code, 0);
    assert.match(stderr, new RegExp(`Nothing to do: all ${RUNS} runs are done`));
    assert.deepEqual(weights(whole), before);
  });
  it('arrives at what the single commands arrive at', () => {
    const cwd = workFolder();
    for (const line of ['train', 'prune', 'retrain --from-snapshot 75%,50%'])
      assert.equal(lunet(line.split(' '), { cwd }).status, 0);
    const single = weights(cwd);
    for (const [file, hash] of Object.entries(weights(whole))) assert.equal(single[file], hash, file);
  });
  it('can be killed at any time, its processes with it, and goes on to the same bits', async () => {
    const cwd = workFolder();
    for (const [i, signal] of (['SIGKILL', 'SIGKILL', 'SIGINT', 'SIGTERM', 'SIGKILL'] as const).entries()) {
      const child = spawn(process.execPath, [BIN, 'run', '--jobs', '2'], {
        cwd,
        env: plainEnvironment(),
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      child.stderr.on('data', (chunk) => (said += String(chunk)));
      const code = new Promise((resolve) => child.on('exit', resolve));
      await sleep(1200 + 500 * i);
      child.kill(signal);
      const exit = await code;
      if (signal !== 'SIGKILL' && exit !== 0) assert.equal(exit, 130, said);
    }
    const { status: code, stderr } = lunet(['run', '--jobs', '2'], { cwd });
    assert.equal(code, 0, stderr);
    assert.deepEqual(weights(cwd), weights(whole));
  });
  it('goes on with the others when a run fails, and says at the end which and why', () => {
    const cwd = workFolder();
    const broken = join(cwd, 'runs/tiny/prune/stamp/seed-1');
    mkdirSync(broken, { recursive: true });
    writeFileSync(join(broken, 'run.json'), '{');
    const { status: code, stderr } = lunet(['run'], { cwd });
    assert.equal(code, 1);
    assert.match(stderr, /3 of 16 runs failed/);
    assert.match(stderr, /prune\/stamp\/seed-1: .*run\.json: is damaged/);
    assert.match(stderr, /retrain\/stamp\/75%-random\/seed-1: its pruning run has not finished/);
    const { counts, runs } = status(cwd);
    assert.deepEqual(counts, { finished: 13, failed: 1, missing: 2 });
    assert.match(runs.find(({ state }) => state === 'failed')?.error ?? '', /is damaged/);
  });
  it('refuses other settings before it starts anything', () => {
    const { status: code, stderr } = lunet(['run', '--set', 'training.epochs=4'], { cwd: whole });
    assert.equal(code, 2);
    assert.match(stderr, /started with other settings: training\.epochs \(3 then, 4 now\)/);
  });
  it('says what is wrong with the data once, with exit code 3', () => {
    const cwd = emptyFolder();
    const { status: code, stderr } = lunet(
      ['run', '--set', 'dataset.layout=folders', '--set', 'dataset.root=none'],
      { cwd },
    );
    assert.equal(code, 3, stderr);
    assert.equal(stderr.match(/error:/g)?.length, 1);
  });
  it('knows sbatch options only for Slurm', () => {
    const { status: code, stderr } = lunet(['run', '--sbatch', '--mem=1G'], { cwd: whole });
    assert.equal(code, 2);
    assert.match(stderr, /--sbatch: works only with --executor slurm/);
  });
});

// `lunet run --executor slurm` against a real Slurm of one node, started for this test.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { emptyFolder, lunet } from '../lunet.js';
import { TINY } from '../tiny.js';

const START = fileURLToPath(new URL('../../../../scripts/start-slurm.sh', import.meta.url));
const missing = ['slurmctld', 'slurmd', 'sbatch', 'munged'].filter(
  (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0,
);
const skip = missing.length > 0 && `skipped: Slurm is not installed (${missing.join(', ')})`;

describe('lunet run --executor slurm', { skip }, () => {
  const slurm = emptyFolder();
  const cwd = emptyFolder();
  const env = { SLURM_CONF: join(slurm, 'slurm.conf') };
  const ask = (command: string, ...words: string[]): string =>
    execFileSync(command, words, { encoding: 'utf8', env: { ...process.env, ...env } }).trim();
  const run = () => lunet(['run', '--executor', 'slurm', '--threads', '1'], { cwd, env });
  const status = () =>
    JSON.parse(lunet(['status', '--json'], { cwd, env }).stdout) as {
      counts: Record<string, number>;
      runs: { id: string; state: string; log?: string; job?: string }[];
    };
  const queueEmpty = async (): Promise<void> => {
    for (let i = 0; i < 240 && ask('squeue', '--noheader') !== ''; i++) await sleep(500);
    assert.equal(ask('squeue', '--noheader'), '', 'jobs are still in the queue');
  };

  before(() => {
    writeFileSync(join(cwd, 'lunet.yaml'), TINY);
    execFileSync('bash', [START, slurm], { stdio: 'ignore' });
  });
  after(() => {
    spawnSync('scancel', ['--me'], { env: { ...process.env, ...env } });
    for (const name of readdirSync(slurm).filter((file) => file.endsWith('.pid')))
      process.kill(Number(readFileSync(join(slurm, name), 'utf8')), 'SIGTERM');
  });

  it('submits arrays that wait for one another, with the options for sbatch', () => {
    const result = lunet(
      ['run', '--executor', 'slurm', '--threads', '1', '--sbatch', '--comment=mine --nice=7'],
      { cwd, env },
    );
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stdout, /^\d+ +train +4$/m);
    assert.match(result.stdout, /^\d+ +prune +4$/m);
    assert.match(result.stdout, /^\d+ +retrain +8$/m);
    assert.match(result.stdout, /^\d+ +report +1$/m);
    assert.match(result.stderr, /Next: lunet status\n$/);
    const jobs = ask('squeue', '--noheader', '--format=%j|%k|%E').split('\n');
    assert.ok(jobs.length >= 3);
    for (const job of jobs) assert.match(job, /\|mine\|/);
    assert.match(jobs.find((job) => job.startsWith('lunet-retrain')) ?? '', /\|afterany:/);
  });
  it('shows what is in the queue, and submits nothing twice', () => {
    const { counts, runs } = status();
    assert.ok((counts['queued'] ?? 0) > 0);
    for (const { state, job } of runs) if (state === 'queued') assert.ok(job);
    const again = run();
    assert.equal(again.status, 0);
    assert.match(again.stderr, /Nothing to submit: all \d+ open runs are in the queue/);
  });
  it('leaves what was killed to the next call', async () => {
    // Cancels a waiting job and, as if a node failed, a running one.
    const lines = ask('squeue', '--noheader', '--array', '--format=%i %j %T').split('\n');
    const waiting = lines.find((line) => /lunet-prune-\w+ PENDING/.test(line))?.split(' ')[0] as string;
    const working = lines.find((line) => line.endsWith(' RUNNING'))?.split(' ')[0];
    ask('scancel', waiting);
    if (working !== undefined)
      spawnSync('scancel', ['--full', '--signal=KILL', working], { env: { ...process.env, ...env } });
    await queueEmpty();
    const before = status();
    assert.ok((before.counts['finished'] ?? 0) < 16);
    assert.ok((before.counts['finished'] ?? 0) > 6);
    assert.ok(before.runs.some(({ state }) => state !== 'finished'));
    // Its retraining could not be done, and its log says why.
    const failed = before.runs.find(({ id, state }) => id.startsWith('retrain/') && state === 'failed');
    assert.match(
      readFileSync(join(cwd, failed?.log as string), 'utf8'),
      /there is no pruning run|has no snapshot/,
    );

    assert.equal(run().status, 0);
    await queueEmpty();
    assert.deepEqual(status().counts, { finished: 16 });
    assert.ok(existsSync(join(cwd, 'runs/tiny/report/index.html')));
  });
  it('keeps one log a run, and nothing else that is empty', () => {
    for (const id of ['train/unet-n2/seed-1', 'prune/stamp/seed-2', 'retrain/widest/50%-random/seed-1'])
      assert.match(
        readFileSync(join(cwd, `runs/tiny/logs/${id}.log`), 'utf8'),
        /^\$ lunet .*\n[^]*(epoch|channel) /m,
      );
    for (const name of readdirSync(join(cwd, 'runs/tiny/slurm')).filter((file) =>
      /^(train|prune|retrain)-.*out$/.test(file),
    ))
      assert.notEqual(readFileSync(join(cwd, 'runs/tiny/slurm', name), 'utf8'), '', name);
  });
  it('arrives at the bits of a run without Slurm', () => {
    const local = emptyFolder();
    writeFileSync(join(local, 'lunet.yaml'), TINY);
    assert.equal(lunet(['prune', '--strategy', 'stamp', '--seeds', '1'], { cwd: local }).status, 0);
    const file = 'runs/tiny/prune/stamp/seed-1/model.safetensors';
    assert.deepEqual(readFileSync(join(cwd, file)), readFileSync(join(local, file)));
  });
  it("gives Slurm's own words where it refuses", () => {
    const other = emptyFolder();
    writeFileSync(join(other, 'lunet.yaml'), TINY);
    const { status: code, stderr } = lunet(['run', '--executor', 'slurm', '--sbatch', '--partition=none'], {
      cwd: other,
      env,
    });
    assert.equal(code, 1);
    assert.match(stderr, /error: sbatch: .*[Ii]nvalid partition/);
  });
});

describe('without Slurm', () => {
  it('says what is missing', () => {
    const cwd = emptyFolder();
    const { status: code, stderr } = lunet(['run', '--executor', 'slurm'], {
      cwd,
      env: { PATH: '/nowhere' },
    });
    assert.equal(code, 1);
    assert.match(stderr, /error: squeue: not found; --executor slurm must run where Slurm's commands are/);
  });
});

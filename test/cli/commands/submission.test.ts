// `lunet run --executor slurm` with fake Slurm commands that only record their input: a submitted config does not change.

import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { emptyFolder, lunet, plainEnvironment } from '../lunet.js';
import { TINY } from '../tiny.js';

// Jobs are numbered; the file `queue` is the output of squeue, and without it squeue fails as if no controller answers.
const SBATCH = `#!/bin/bash
jobs="$(dirname "$0")/job"
n=$(($(ls "$jobs"-*.sh 2>/dev/null | wc -l) + 1))
cat "\${@: -1}" >"$jobs-$n.sh"
printf '%s\\n' "$@" >"$jobs-$n.words"
echo $n
`;
const SQUEUE = `#!/bin/bash
[ "$1" = --version ] && exit 0
cat "$(dirname "$0")/queue" 2>/dev/null && exit 0
echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2
exit 1
`;

interface Cluster {
  readonly cwd: string;
  readonly bin: string;
  readonly call: (...args: string[]) => SpawnSyncReturns<string>;
  readonly states: () => Record<string, string>;
}

function cluster(): Cluster {
  const cwd = emptyFolder();
  const bin = join(cwd, 'bin');
  mkdirSync(bin);
  for (const [name, text] of Object.entries({ sbatch: SBATCH, squeue: SQUEUE })) {
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
  }
  writeFileSync(join(bin, 'queue'), '');
  writeFileSync(join(cwd, 'lunet.yaml'), TINY);
  const env = { PATH: `${bin}:${process.env['PATH']}` };
  const call = (...args: string[]) => lunet(args, { cwd, env });
  const states = (): Record<string, string> => {
    const { runs } = JSON.parse(call('status', '--json').stdout) as { runs: { id: string; state: string }[] };
    return Object.fromEntries(runs.map(({ id, state }) => [id, state]));
  };
  return { cwd, bin, call, states };
}

const submitted = ({ bin }: Cluster, job: number): string =>
  /--job-name=(.*)/.exec(readFileSync(join(bin, `job-${job}.words`), 'utf8'))?.[1] as string;

describe('runs that are submitted', () => {
  it('are done as they were, from another folder, after the config has changed', () => {
    const slurm = cluster();
    const { cwd, bin, call } = slurm;
    assert.equal(
      call('run', '--executor', 'slurm', '--threads', '1', '--set', 'training.epochs=2').status,
      0,
    );
    writeFileSync(join(cwd, 'lunet.yaml'), 'experiment: [');
    const { status, stderr } = spawnSync('bash', [join(bin, 'job-1.sh')], {
      cwd: emptyFolder(),
      encoding: 'utf8',
      env: plainEnvironment({ SLURM_ARRAY_TASK_ID: '0', LUNET_OUTPUT: 'elsewhere' }),
    });
    const log = readFileSync(join(cwd, 'runs/tiny/logs/train/unet-n2/seed-1.log'), 'utf8');
    assert.equal(status, 0, stderr + log);

    // The identity is that of a run that was never submitted.
    writeFileSync(join(cwd, 'lunet.yaml'), TINY);
    const again = call('train', '--model', 'unet-n2', '--seeds', '1', '--set', 'training.epochs=2');
    assert.match(again.stderr, /Nothing to do: all 1 runs are done/);
  });
  it('are the same to the queue when the config lists others before them', () => {
    const slurm = cluster();
    assert.equal(slurm.call('run', '--executor', 'slurm').status, 0);
    // The first seed of the first model waits, the second one of the second runs.
    const name = submitted(slurm, 1);
    writeFileSync(join(slurm.bin, 'queue'), `${name} 11 0 PENDING\n${name} 11 3 RUNNING\n`);
    assert.equal(slurm.states()['train/unet-n2/seed-1'], 'queued');
    writeFileSync(
      join(slurm.cwd, 'lunet.yaml'),
      TINY.replace('models:', 'models:\n  - { family: unet, n: 3, levels: 2, convs: 1 }').replace(
        'pruning: {',
        'pruning: { model: unet-n2,',
      ),
    );
    const states = slurm.states();
    assert.equal(states['train/unet-n2/seed-1'], 'queued');
    assert.equal(states['train/lunet-n2/seed-2'], 'running');
    assert.equal(states['train/unet-n3/seed-1'], 'missing');
    // Only runs that are not in the queue are submitted.
    const { stdout } = slurm.call('run', '--executor', 'slurm');
    assert.match(stdout, /^\d+ +train +4$/m);
    const kept = readdirSync(join(slurm.cwd, 'runs/tiny/configs'));
    assert.equal(kept.length, 2);
  });
});

describe('Slurm that does not answer', () => {
  const slurm = cluster();
  writeFileSync(join(slurm.bin, 'squeue'), SQUEUE.replace('/queue"', '/none"'));
  it('leaves status what is on disk, with a warning', () => {
    const { status, stdout, stderr } = slurm.call('status');
    assert.equal(status, 0);
    assert.match(stdout, /^16 runs: 16 missing$/m);
    assert.match(
      stderr,
      /^warning: squeue: .*Unable to contact slurm controller.*with their state on disk$/m,
    );
  });
  it('gets nothing submitted', () => {
    const { status, stderr } = slurm.call('run', '--executor', 'slurm');
    assert.equal(status, 1);
    assert.match(stderr, /^error: squeue: .*Unable to contact slurm controller/m);
    assert.ok(!existsSync(join(slurm.bin, 'job-1.sh')));
  });
});

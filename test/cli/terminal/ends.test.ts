// Whether commands end or continue when their terminal, readers, disk or parent disappear.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockRun } from '../../../src/runs/lock/lock.js';
import { BIN, emptyFolder, lunet, plainEnvironment } from '../lunet.js';
import { TINY } from '../tiny.js';

const TRAIN = ['train', '--model', 'lunet-n2', '--seeds', '1'];
const RUN = 'runs/tiny/train/lunet-n2/seed-1';
const LONG = ['--set', 'training.epochs=100000'];
const noFull = !existsSync('/dev/full') && 'skipped: there is no /dev/full';
const noProc = !existsSync('/proc/self/cwd') && 'skipped: there is no /proc';
const noPython =
  spawnSync('python3', ['-c', 'import pty']).status !== 0 && 'skipped: python3 makes the terminal';

function workFolder(): string {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'lunet.yaml'), TINY);
  return cwd;
}

function statusOf(cwd: string): string | undefined {
  const path = join(cwd, RUN, 'run.json');
  return existsSync(path) ? /"status": "(\w+)"/.exec(readFileSync(path, 'utf8'))?.[1] : undefined;
}

async function until(holds: () => boolean, seconds: number, what: string): Promise<void> {
  for (const end = Date.now() + 1000 * seconds; !holds(); await sleep(50))
    assert.ok(Date.now() < end, `never came: ${what}`);
}

/** Starts a command with the streams `streams`; returns its exit code and the signal that ended it. */
function start(
  cwd: string,
  args: readonly string[],
  streams: 'ignore' | ('ignore' | 'pipe' | number)[] = 'ignore',
): { child: ChildProcess; end: Promise<number | string | null> } {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, env: plainEnvironment(), stdio: streams });
  return {
    child,
    end: new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal))),
  };
}

describe('what cannot be printed', { skip: noFull }, () => {
  it('ends no training, whether messages or results', async () => {
    const cwd = workFolder();
    const full = openSync('/dev/full', 'w');
    assert.equal(await start(cwd, TRAIN, ['ignore', full, full]).end, 0);
    assert.equal(statusOf(cwd), 'finished');
  });
  it('does not hide that a training failed', async () => {
    const cwd = workFolder();
    mkdirSync(join(cwd, RUN), { recursive: true });
    const release = await lockRun(join(cwd, RUN), { warn: assert.fail });
    const full = openSync('/dev/full', 'w');
    assert.equal(await start(cwd, TRAIN, ['ignore', full, full]).end, 1);
    release();
  });
  it('is a failure where it is all that was asked for', async () => {
    const { child, end } = start(
      workFolder(),
      ['config', '--print'],
      ['ignore', openSync('/dev/full', 'w'), 'pipe'],
    );
    let text = '';
    child.stderr?.on('data', (chunk) => (text += String(chunk)));
    assert.equal(await end, 5);
    assert.match(text, /^error: stdout: could not be written: the disk is full\n$/m);
  });
});

describe('a reader that has gone', () => {
  it('ends what only prints, quietly', () => {
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', `"$0" "$1" config --schema | head -1; echo \${PIPESTATUS[0]}`, process.execPath, BIN],
      { cwd: workFolder(), encoding: 'utf8', env: plainEnvironment() },
    );
    assert.equal(stdout, '{\n0\n');
    assert.equal(stderr, '');
  });
  it('ends no training', async () => {
    const cwd = workFolder();
    const { child, end } = start(cwd, TRAIN, ['ignore', 'pipe', 'pipe']);
    child.stdout?.destroy();
    child.stderr?.destroy();
    assert.equal(await end, 0);
    assert.equal(statusOf(cwd), 'finished');
  });
});

describe('signals', () => {
  it('let a process without a terminal outlive one, as nohup is used for', async () => {
    const cwd = workFolder();
    const { child, end } = start(cwd, [...TRAIN, '--set', 'training.epochs=80']);
    await until(() => statusOf(cwd) === 'running', 20, 'the run');
    child.kill('SIGHUP');
    child.kill('SIGHUP');
    assert.equal(await end, 0);
    assert.equal(statusOf(cwd), 'finished');
  });
  it('that come twice at once, as through npx, ask once', async () => {
    const cwd = workFolder();
    const { child, end } = start(cwd, [...TRAIN, ...LONG]);
    await until(() => statusOf(cwd) === 'running', 20, 'the run');
    child.kill('SIGINT');
    child.kill('SIGTERM');
    assert.equal(await end, 130);
    assert.equal(statusOf(cwd), 'interrupted');
  });
  it(
    'end a process with a terminal at a checkpoint when that is closed, and one in the background not',
    { skip: noPython },
    async () => {
      for (const [line, status] of [
        [LONG, 'interrupted'],
        [['--set', 'training.epochs=150', '&', 'disown'], 'finished'],
      ] as const) {
        const cwd = workFolder();
        const words = [process.execPath, BIN, ...TRAIN, ...line].join(' ');
        const terminal = spawnSync('python3', ['-c', TERMINAL, words, 'loss 0.'], {
          cwd,
          env: plainEnvironment(),
          timeout: 60_000,
        });
        assert.equal(terminal.status, 0, 'progress was seen');
        assert.notEqual(statusOf(cwd), 'finished', 'the terminal was closed too late');
        await until(() => statusOf(cwd) === status, 180, `${status}, found ${statusOf(cwd)}`);
      }
    },
  );
});

/** Types a line into a shell on a terminal, and closes the terminal when a text appears. */
const TERMINAL = `
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp('bash', ['bash', '--norc', '-i'])
os.write(fd, (sys.argv[1] + '\\n').encode())
seen = b''
while sys.argv[2].encode() not in seen:
    seen += os.read(fd, 4096)
os.close(fd)
`;

describe('the processes of a lunet run that was killed', { skip: noProc }, () => {
  /** Processes that work in a folder. */
  const working = (cwd: string): number[] =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        try {
          return readlinkSync(`/proc/${pid}/cwd`) === cwd;
        } catch {
          return false;
        }
      });
  it('end as well, however new they are', async () => {
    for (const ms of [0, 60, 120, 200, 300, 400, 550, 700]) {
      const cwd = workFolder();
      const { child, end } = start(cwd, ['run', '--threads', '1', ...LONG]);
      try {
        await until(() => working(cwd).length > 1, 30, 'a process of the run');
        await sleep(ms);
        child.kill('SIGKILL');
        await end;
        await until(() => working(cwd).length === 0, 10, `the end of all processes, killed after ${ms} ms`);
      } finally {
        for (const pid of working(cwd)) process.kill(pid, 'SIGKILL');
      }
    }
  });
});

describe('lunet run', () => {
  it('does what its config said when it was started, whatever becomes of the file', async () => {
    const cwd = workFolder();
    const { child, end } = start(cwd, ['run', '--jobs', '2'], ['ignore', 'ignore', 'pipe']);
    let text = '';
    child.stderr?.on('data', (chunk) => (text += String(chunk)));
    await until(() => text.includes('1/16 '), 60, 'the first run');
    writeFileSync(join(cwd, 'lunet.yaml'), TINY.replace('epochs: 3', 'epochs: 9'));
    assert.equal(await end, 0, text);
    writeFileSync(join(cwd, 'lunet.yaml'), TINY);
    const { counts } = JSON.parse(lunet(['status', '--json'], { cwd }).stdout) as { counts: object };
    assert.deepEqual(counts, { finished: 16 });
  });
  it('that was interrupted leaves runs that status calls so', async () => {
    const cwd = workFolder();
    const { child, end } = start(cwd, ['run', ...LONG]);
    await until(() => existsSync(join(cwd, 'runs/tiny/train/unet-n2/seed-1/run.json')), 30, 'the first run');
    child.kill('SIGINT');
    assert.equal(await end, 130);
    const { counts } = JSON.parse(lunet(['status', '--json', ...LONG], { cwd }).stdout) as { counts: object };
    assert.deepEqual(counts, { interrupted: 1, missing: 15 });
  });
});

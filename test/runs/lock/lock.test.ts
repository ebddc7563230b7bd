// The lock of a run: which process gets it, which waits, and what a process does that has lost it.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs, {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { commitFile } from '../../../src/runs/commit.js';
import { isLocked, lockRun } from '../../../src/runs/lock/lock.js';
import { type Owner, thisProcess } from '../../../src/runs/lock/owner.js';

const HOLDER = fileURLToPath(new URL('./hold-lock.js', import.meta.url));
const newFolder = (): string => mkdtempSync(join(tmpdir(), 'lunet-'));
const pace = { lookMs: 10, beatMs: 50 };

/** Takes the lock; also returns the warnings. */
async function take(
  folder: string,
  signal?: AbortSignal,
): Promise<{ release: () => void; warnings: string[] }> {
  const warnings: string[] = [];
  const release = await lockRun(folder, { warn: (text) => warnings.push(text), pace, signal });
  return { release, warnings };
}

function writeLock(folder: string, owner: Partial<Owner>, number = 1): string {
  const path = join(folder, `lock.${number}`);
  writeFileSync(path, `${JSON.stringify({ ...thisProcess(), ...owner })}\n        0\n`);
  return path;
}

const locksIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith('lock.'));

/** A process number that no process has now. */
function deadPid(): number {
  return spawnSync(process.execPath, ['--eval', '']).pid;
}

describe('a run lock', () => {
  it('is one process’s until it is given back', async () => {
    const folder = newFolder();
    const { release } = await take(folder);
    assert.ok(isLocked(folder));
    await assert.rejects(take(folder), {
      kind: 'failed',
      message: `${folder}: in use by process ${process.pid}; wait for it to end`,
    });
    release();
    assert.ok(!isLocked(folder));
    assert.deepEqual(readdirSync(folder), []);
    (await take(folder)).release();
  });
  it('of a dead process, or of one whose number another has now, is taken at once', async () => {
    for (const owner of [{ pid: deadPid() }, { started: '1' }]) {
      const folder = newFolder();
      writeLock(folder, owner);
      assert.ok(!isLocked(folder));
      const { release, warnings } = await take(folder);
      assert.deepEqual(warnings, []);
      assert.deepEqual(locksIn(folder), ['lock.2']);
      release();
    }
  });
  it('of a process in another container or on another machine is not taken while its heart beats', async () => {
    for (const owner of [{ namespace: 'pid:[1]' }, { boot: 'other' }, { host: 'elsewhere', boot: 'other' }]) {
      const folder = newFolder();
      // Its process number and start time are not valid on this machine.
      const path = writeLock(folder, { ...owner, pid: deadPid() });
      let beats = 0;
      const timer = setInterval(
        () => writeFileSync(path, readFileSync(path, 'utf8').replace(/\d+\n$/, `${++beats}\n`)),
        30,
      );
      try {
        assert.ok(isLocked(folder));
        await assert.rejects(take(folder), {
          kind: 'failed',
          message:
            /in use by process \d+ (in another container|from before|on elsewhere).*, last seen \d+ s ago; wait for it/,
        });
        assert.deepEqual(readdirSync(folder), ['lock.1']);
      } finally {
        clearInterval(timer);
      }
    }
  });
  it('of such a process is taken over where nothing moves, and that is said', async () => {
    const folder = newFolder();
    writeLock(folder, { host: 'elsewhere', boot: 'other' });
    const before = performance.now();
    const { release, warnings } = await take(folder);
    assert.ok(performance.now() - before > 50 * pace.lookMs, 'it was given time');
    assert.match(
      warnings[0] as string,
      /locked by process \d+ on elsewhere, last seen \d+ s ago; waiting up to 0\.6 s/,
    );
    assert.match(warnings[1] as string, /gave no sign of life; taking over the run/);
    assert.deepEqual(locksIn(folder), ['lock.2']);
    release();
  });
  it('is waited for only until Ctrl-C', async () => {
    const folder = newFolder();
    writeLock(folder, { boot: 'other' });
    const reason = new Error('interrupted');
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 60);
    await assert.rejects(take(folder, controller.signal), reason);
    assert.deepEqual(locksIn(folder), ['lock.1']);
  });
  it('that says nothing, or is no file, is in the way for a moment only', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'lock.1'), '');
    mkdirSync(join(folder, 'lock.2'));
    symlinkSync('nowhere', join(folder, 'lock.3'));
    spawnSync('mkfifo', [join(folder, 'lock.4')]);
    assert.ok(!isLocked(folder));
    const { release } = await take(folder);
    assert.ok(locksIn(folder).includes('lock.5'));
    assert.ok(isLocked(folder));
    release();
  });
  it('is one’s of many that want a dead process’s at the same time', async () => {
    for (let round = 0; round < 3; round++) {
      const folder = newFolder();
      writeLock(folder, { pid: deadPid() });
      const all = Array.from({ length: 5 }, () => holder(folder));
      const answers = await Promise.all(all.map(({ next }) => next()));
      assert.equal(answers.filter((text) => text === 'held').length, 1, answers.join('\n'));
      for (const { child } of all) child.kill('SIGKILL');
      for (const text of answers)
        if (text !== 'held') assert.match(text, /in use by process|other processes are starting/);
    }
  });
  it('works without hard links, and says so once', async (context) => {
    const { linkSync } = fs;
    const restore = (): void => {
      fs.linkSync = linkSync;
      syncBuiltinESMExports();
    };
    context.after(restore);
    fs.linkSync = () => {
      throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    };
    syncBuiltinESMExports();
    const folder = newFolder();
    writeLock(folder, { pid: deadPid() });
    const { release, warnings } = await take(folder);
    assert.match(warnings.join(), /no hard links/);
    assert.deepEqual(readdirSync(folder), ['lock.2']);
    await assert.rejects(take(folder), /in use by process/);
    restore();
    await assert.rejects(take(folder), /in use by process/);
    release();
    assert.deepEqual(readdirSync(folder), []);
  });
});

describe('a process that has lost its lock', () => {
  it('writes nothing more, and leaves the other’s lock alone', async () => {
    const folder = newFolder();
    const file = join(folder, 'run.json');
    const { release } = await take(folder);
    commitFile(file, 'mine');
    rmSync(join(folder, 'lock.1'));
    writeLock(folder, { host: 'elsewhere', pid: 7 }, 2);
    assert.throws(() => commitFile(file, 'late'), {
      kind: 'failed',
      message: /has lost the lock of the run, which process 7 on elsewhere, last seen \d+ s ago holds now/,
    });
    assert.equal(readFileSync(file, 'utf8'), 'mine');
    release();
    assert.deepEqual(locksIn(folder), ['lock.2']);
    commitFile(file, 'no lock, no guard');
  });
  it('also where the other has the same number of a lock', async () => {
    const folder = newFolder();
    const { release } = await take(folder);
    writeLock(folder, { host: 'elsewhere' }, 1);
    const before = readFileSync(join(folder, 'lock.1'), 'utf8');
    assert.throws(() => commitFile(join(folder, 'run.json'), 'late'), { kind: 'failed' });
    await sleep(4 * pace.beatMs);
    release();
    assert.equal(
      readFileSync(join(folder, 'lock.1'), 'utf8'),
      before,
      'its heart does not beat for the other',
    );
  });
});

const UNSHARE = ['unshare', '--pid', '--fork', '--mount-proc'];
const mayUnshare = spawnSync(UNSHARE[0] as string, [...UNSHARE.slice(1), 'true']).status === 0;

describe('containers', { skip: !mayUnshare && 'skipped: PID namespaces cannot be made here' }, () => {
  it('keep a living process’s lock, give a killed one’s, and stop one that wakes up too late', async () => {
    const folder = newFolder();
    const first = holder(folder, UNSHARE);
    assert.equal(await first.next(), 'held');
    await assert.rejects(take(folder), /in use by process 1 in another container/);

    // Suspended for longer than others wait: the lock is taken over.
    const pid = childOf(first.child.pid as number);
    process.kill(pid, 'SIGSTOP');
    const second = holder(folder, UNSHARE);
    assert.equal(await second.next(), 'held');
    process.kill(pid, 'SIGCONT');
    first.child.stdin?.write('late\n');
    assert.match(
      await first.next(),
      /^error: .*has lost the lock of the run, which process 1 in another container/,
    );
    second.child.stdin?.write('in time\n');
    assert.equal(await second.next(), 'written');
    assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'in time');

    process.kill(childOf(second.child.pid as number), 'SIGKILL');
    const { release } = await take(folder);
    release();
    process.kill(pid, 'SIGKILL');
  });
});

interface Holder {
  readonly child: ChildProcess;
  /** The next line of its output. */
  readonly next: () => Promise<string>;
}

function holder(folder: string, before: readonly string[] = []): Holder {
  const [command, ...words] = [
    ...before,
    process.execPath,
    HOLDER,
    folder,
    String(pace.lookMs),
    String(pace.beatMs),
  ];
  const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, next: async () => String((await lines.next()).value) };
}

/** The only child of a process. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
}

// The error of the last attempt of a run, from its log; and runs whose folders cannot be read.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { loadExperiment } from '../../src/config/load.js';
import { type Task, planExperiment } from '../../src/experiment/tasks.js';
import { lastError, taskState } from '../../src/experiment/state.js';

const folder = mkdtempSync(join(tmpdir(), 'lunet-'));
const log = join(folder, 'log');

describe('the last error of a log', () => {
  const attempt = '\n$ lunet train --model unet-n2\nEngine: native\n';
  it('is that of the last attempt', () => {
    writeFileSync(log, `${attempt}error: first${attempt}unet-n2: epoch 1/3\nerror: second: no room\n`);
    assert.equal(lastError(log), 'second: no room');
    writeFileSync(log, `${attempt}error: first${attempt}unet-n2: epoch 1/3\n`);
    assert.equal(lastError(log), undefined);
  });
  it('is none if that was interrupted', () => {
    const end = 'error: interrupted; the same command resumes from the last checkpoint\n';
    writeFileSync(
      log,
      `${attempt}error: first${attempt}\nStopping; press Ctrl-C again to quit immediately.\n${end}`,
    );
    assert.equal(lastError(log), undefined);
  });
  it('is none if the run has recorded something since', () => {
    const run = mkdtempSync(join(tmpdir(), 'lunet-'));
    writeFileSync(log, `${attempt}error: no room\n`);
    writeFileSync(join(run, 'run.json'), '{}');
    assert.equal(lastError(log, run), 'no room');
    const before = new Date(Date.now() - 60_000);
    utimesSync(log, before, before);
    assert.equal(lastError(log, run), undefined);
    assert.equal(lastError(log, join(run, 'none')), 'no room');
  });
  it('is none where there is no log, a folder or a dead link', () => {
    symlinkSync('nowhere', join(folder, 'dead'));
    for (const name of ['none', '.', 'dead']) assert.equal(lastError(join(folder, name)), undefined);
  });
});

describe('a run', () => {
  const config = loadExperiment(undefined, [`output=${join(folder, 'runs')}`]).config;
  const task = planExperiment(config)[0] as Task;
  const root = process.getuid?.() === 0;
  it(
    'that may not be read is unreadable, not missing and not damaged',
    { skip: !root && 'skipped: needs root' },
    () => {
      mkdirSync(task.folder, { recursive: true });
      writeFileSync(join(task.folder, 'run.json'), '{}');
      chmodSync(folder, 0o755);
      for (const closed of [join(task.folder, 'run.json'), task.folder, dirname(task.folder)]) {
        chmodSync(closed, 0o700);
        process.seteuid?.(65534);
        try {
          const { state, damage } = taskState(task);
          assert.equal(state, 'unreadable', closed);
          assert.match(damage as string, /run\.json: cannot be read: permission denied/);
        } finally {
          process.seteuid?.(0);
          chmodSync(closed, 0o755);
        }
      }
      assert.equal(taskState(task).state, 'stopped', 'damaged');
    },
  );
  it('whose folder is a dead link is missing, one whose folder is a file is not', () => {
    const at = (name: string): Task => ({ ...task, folder: join(folder, name) });
    symlinkSync('nowhere', join(folder, 'seed-1'));
    assert.equal(taskState(at('seed-1')).state, 'missing');
    writeFileSync(join(folder, 'seed-2'), '');
    assert.match(taskState(at('seed-2')).damage as string, /is a file, not a folder/);
    symlinkSync('seed-3', join(folder, 'seed-3'));
    assert.match(taskState(at('seed-3')).damage as string, /lead in a circle/);
  });
});

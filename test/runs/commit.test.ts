// Atomic writes on file systems that lack a feature, and the temporary files of killed processes.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { commitFile, diskError, makeFolder } from '../../src/runs/commit.js';
import { requireSpace } from '../../src/runs/space.js';
import { removeTemporary, temporaryPath } from '../../src/runs/temporary.js';

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'lunet-'));

function failing(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Replaces a function of the file system until the test ends. */
function replace<Name extends 'fsyncSync' | 'statfsSync' | 'writeSync'>(
  context: TestContext,
  name: Name,
  other: unknown,
): (typeof fs)[Name] {
  const own = fs[name];
  context.after(() => {
    fs[name] = own;
    syncBuiltinESMExports();
  });
  fs[name] = other as (typeof fs)[Name];
  syncBuiltinESMExports();
  return own;
}

describe('a file', () => {
  for (const code of ['EINVAL', 'ENOTSUP', 'EBADF', 'EPERM'])
    it(`is written where fsync of a folder ends with ${code}`, (context) => {
      const fsync = replace(context, 'fsyncSync', (file: number) => {
        if (fs.fstatSync(file).isDirectory()) throw failing(code);
        fsync(file);
      });
      const path = join(newFolder(), 'file');
      commitFile(path, 'whole');
      assert.equal(readFileSync(path, 'utf8'), 'whole');
    });
  for (const code of ['EIO', 'ENOSPC', 'EDQUOT'])
    it(`is not taken for written where fsync ends with ${code}`, (context) => {
      replace(context, 'fsyncSync', () => {
        throw failing(code);
      });
      const folder = newFolder();
      assert.throws(() => commitFile(join(folder, 'file'), 'whole'), { kind: 'disk' });
      assert.deepEqual(readdirSync(folder), []);
    });
  it('that may not be written is called so', () => {
    assert.match(
      diskError('x', failing('EACCES')).message,
      /^x: could not be written: writing there is not allowed/,
    );
    assert.match(diskError('x', failing('EISDIR')).message, /^x: could not be written: is a folder/);
  });
});

describe('files that are not in place yet', () => {
  it('are removed where their process has ended, and left where it may still write', () => {
    const folder = newFolder();
    // Names of a process that has ended, of this one, of one elsewhere, and of one elsewhere long ago.
    const own = temporaryPath(folder, 'a');
    const dead = own.replace(`-${process.pid}-`, `-${spawnSync(process.execPath, ['--eval', '']).pid}-`);
    const foreign = own.replace(/(\.tmp-\d+-)[0-9a-f]{8}/, '$100000000');
    const old = `${foreign}-old`;
    for (const path of [own, dead, foreign, old]) writeFileSync(path, '');
    const before = new Date(Date.now() - 2 * 3600_000);
    utimesSync(old, before, before);
    mkdirSync(join(folder, '.tmp-folder'));
    commitFile(join(folder, 'file'), 'x');
    assert.deepEqual(
      readdirSync(folder).sort(),
      ['.tmp-folder', basename(own), basename(foreign), 'file'].sort(),
    );
  });
  it('all go where the folder is locked, folders and what is no temporary file stay', () => {
    const folder = newFolder();
    mkdirSync(join(folder, '.tmp-folder'));
    writeFileSync(join(folder, 'file'), '');
    writeFileSync(temporaryPath(folder, 'x'), '');
    writeFileSync(join(folder, '.tmp-1-of-an-older-version'), '');
    removeTemporary(folder);
    assert.deepEqual(readdirSync(folder).sort(), ['.tmp-folder', 'file']);
  });
});

describe('space for checkpoints', () => {
  const silent = { bavail: 0, bsize: 4096, blocks: 0 };
  for (const [what, answer] of [
    ['reports nothing free', () => silent],
    [
      'does not answer',
      () => {
        throw failing('ENOSYS');
      },
    ],
  ] as const)
    it(`is tried out where the file system ${what}`, (context) => {
      replace(context, 'statfsSync', answer);
      const folder = newFolder();
      const warnings: string[] = [];
      requireSpace(folder, 100_000, (text) => warnings.push(text));
      assert.ok(
        warnings.length <= 1 && warnings.every((text) => /does not say how much space is free/.test(text)),
      );
      assert.deepEqual(readdirSync(folder), []);

      let written = 0;
      replace(context, 'writeSync', (_: number, __: Buffer, ___: number, length: number) => {
        if (written + length > 2 ** 21) throw failing('ENOSPC');
        written += length;
        return length;
      });
      assert.throws(() => requireSpace(folder, 100_000, assert.fail), {
        kind: 'disk',
        message: /the disk is full: free some space/,
      });
      assert.deepEqual(readdirSync(folder), []);
    });
  it('is refused where less is free than needed', (context) => {
    replace(context, 'statfsSync', () => ({ bavail: 256, bsize: 4096, blocks: 9999 }));
    assert.throws(() => requireSpace(newFolder(), 100_000, assert.fail), {
      kind: 'disk',
      message: /1 MiB are free, 4 MiB are needed/,
    });
  });
});

it('a folder that cannot be made says why, wherever in its path the reason is', () => {
  const base = newFolder();
  makeFolder(join(base, 'a/b/c'));
  makeFolder(join(base, 'a/b/c'));
  assert.ok(existsSync(join(base, 'a/b/c')));
  writeFileSync(join(base, 'file'), '');
  assert.throws(() => makeFolder(join(base, 'file')), /could not be made/);
  assert.throws(() => makeFolder(join(base, 'file/b/c')), /a part of the path is a file/);
  // The recursive mkdir of Node.js never returns for this path.
  if (existsSync('/proc/self'))
    assert.throws(() => makeFolder('/proc/self/nothing/below'), /could not be made/);
});

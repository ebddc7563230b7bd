import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fsReason } from '../src/fs-reason.js';

const folder = mkdtempSync(join(tmpdir(), 'lunet-reason-'));
after(() => rmSync(folder, { recursive: true }));

function failure(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('the call did not fail');
}

describe('the reason of a failed file system call', () => {
  it('is in words, for errors as the system gives them, without the path', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    symlinkSync('loop', join(folder, 'loop'));
    const cases: [() => unknown, string][] = [
      [() => readFileSync(join(folder, 'absent')), 'no such file or folder'],
      [() => readFileSync(folder), 'is a folder, not a file'],
      [() => readdirSync(file), 'a part of the path is a file, not a folder'],
      [() => readFileSync(join(folder, 'loop')), 'its links lead in a circle'],
      [() => readFileSync(join(folder, 'x'.repeat(5000))), 'the name is too long'],
    ];
    for (const [call, reason] of cases) assert.equal(fsReason(failure(call)), reason);
  });
  it('calls no permission that, whichever of its two codes it has', () => {
    for (const code of ['EACCES', 'EPERM'])
      assert.equal(fsReason(Object.assign(new Error(`${code}: x`), { code })), 'permission denied');
  });
  it('of a code without words is what the system says, with the code', () => {
    const error = Object.assign(new Error("ENXIO: no such device or address, open '/x'"), {
      code: 'ENXIO',
      errno: -6,
    });
    assert.equal(fsReason(error), 'no such device or address (ENXIO)');
  });
  it('of anything else is its message', () => {
    assert.equal(fsReason(new Error('constructor')), 'constructor');
    assert.equal(fsReason('text'), 'text');
    assert.equal(fsReason(undefined), 'undefined');
  });
});

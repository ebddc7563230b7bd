import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolders } from '../src/make-folders.js';

const root = mkdtempSync(join(tmpdir(), 'lunet-'));

test('makes what is missing, again without complaint', () => {
  for (const folder of ['a/b/c', 'a/b/c', 'a/d/', './a/../e'].map((name) => `${root}/${name}`)) {
    makeFolders(folder);
    assert.ok(statSync(folder).isDirectory());
  }
});

test('ends with the reason where a folder cannot be made', () => {
  writeFileSync(join(root, 'file'), '');
  assert.throws(() => makeFolders(join(root, 'file')), { code: 'EEXIST' });
  assert.throws(() => makeFolders(join(root, 'file/below')), { code: 'ENOTDIR' });
  if (existsSync('/proc/self')) assert.throws(() => makeFolders('/proc/nothing/below'), { code: 'ENOENT' });
});

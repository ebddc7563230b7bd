// Caches on disk: files of killed processes, and interrupted reads.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readCache, writeCache } from '../../src/data/cache.js';
import { type PreparedCase } from '../../src/data/case.js';
import { temporaryPath } from '../../src/runs/temporary.js';

const bytes = new ArrayBuffer(64);
const prepared = {
  id: 'case',
  bytes,
  digest: createHash('sha256').update(new Uint8Array(bytes)).digest('hex'),
} as PreparedCase;

describe('a cache of cases', () => {
  it('is found again, and tidies what a killed process left half written', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lunet-'));
    const { pid } = spawnSync(process.execPath, ['--eval', '']);
    writeFileSync(temporaryPath(folder, 'key').replace(`-${process.pid}-`, `-${pid}-`), '');
    await writeCache(folder, 'key', [prepared]);
    assert.deepEqual(readdirSync(folder), ['key.lunet-cache']);
    assert.deepEqual(await readCache(folder, 'key'), [prepared]);
  });
  it('is read no further than until Ctrl-C', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lunet-'));
    await writeCache(folder, 'key', [prepared, prepared]);
    const controller = new AbortController();
    const reason = new Error('interrupted');
    controller.abort(reason);
    await assert.rejects(readCache(folder, 'key', undefined, controller.signal), reason);
  });
});

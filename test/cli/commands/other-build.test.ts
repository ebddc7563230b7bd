// A run that is resumed on an engine made with another compiler is refused; on the same one it goes on.

import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type BuildRecord, readRecord } from '../../../src/engine/native/builds.js';
import { loadKept } from '../../../src/engine/native/loader.js';
import { EXIT } from '../../../src/errors.js';
import { readRun } from '../../../src/runs/run.js';
import { emptyFolder, lunet } from '../lunet.js';
import { TINY } from '../tiny.js';

test('a run goes on only with the engine of its compiler', () => {
  const { path } = loadKept() as { path: string };
  const record = readRecord(dirname(path)) as BuildRecord;
  const other = join(emptyFolder(), 'lunet.node');
  copyFileSync(path, other);
  writeFileSync(join(dirname(other), 'build.json'), JSON.stringify({ ...record, compiler: 'zig 9' }));
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'tiny.yaml'), TINY);
  const train = ['train', 'tiny.yaml', '--model', 'lunet-n2', '--seeds', '1', '--engine', 'native'];
  const folder = 'runs/tiny/train/lunet-n2/seed-1';

  const env = { LUNET_NATIVE: other };
  const killed = lunet(train, { cwd, env: { ...env, LUNET_FAILPOINT: 'checkpoint:1' } });
  assert.equal(killed.signal, 'SIGKILL', killed.stderr);
  const refused = lunet(train, { cwd });
  assert.equal(refused.status, EXIT.engine, refused.stderr);
  assert.ok(
    refused.stderr.includes(
      `${folder}: this run was started on an engine made with zig 9, here is one made with ${record.compiler}`,
    ),
    refused.stderr,
  );
  const resumed = lunet(train, { cwd, env });
  assert.equal(resumed.status, 0, resumed.stderr);
  assert.equal(readRun(join(cwd, folder))?.environment.engine.build, 'zig 9');
});

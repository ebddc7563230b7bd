// Which instruction sets the engine finds, against what Linux says of the processor: an engine that overlooks the fast ones
// passes every other test.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadFile, prebuildFolder } from '../../../src/engine/native/builds.js';
import { loadAddon } from '../../../src/engine/native/loader.js';

const NEEDED = {
  avx512: ['avx512f', 'avx512dq', 'avx512bw', 'avx512vl', 'avx2', 'fma'],
  avx2: ['avx2', 'fma'],
  baseline: [],
};

function expected(): string[] {
  const [, list = ''] = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
  const flags = new Set(list.trim().split(' '));
  return Object.entries(NEEDED)
    .filter(([, needed]) => needed.every((flag) => flags.has(flag)))
    .map(([name]) => name);
}

const skip =
  process.platform !== 'linux' || process.arch !== 'x64' ? 'no processor flags to read here' : false;

test('the engine finds every instruction set that the processor has, the widest first', { skip }, () => {
  const { addon } = loadAddon();
  assert.ok(addon);
  assert.deepEqual(addon.instructionSets(), expected());
});

const prebuilt = `${prebuildFolder()}/lunet.node`;

test(
  'so does the one that the package brings',
  { skip: skip || (!existsSync(prebuilt) && 'there is none: npm run prebuild') },
  () => {
    assert.deepEqual(loadFile(prebuilt).instructionSets(), expected());
  },
);

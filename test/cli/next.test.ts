// The suggested next command: for the same experiment, quoted for a shell.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { nextCommand } from '../../src/cli/next.js';

test('config, settings, splits and engine are kept where the next command takes them', () => {
  const given = { path: 'my.yaml', set: ['a=b', 'c=[1, 2]'], split: ['x', 'y'], engine: 'wasm' };
  assert.equal(
    nextCommand('prune', ['--strategy', 'widest'], given),
    "lunet prune my.yaml --strategy widest --set a=b --set 'c=[1, 2]' --split x,y --engine wasm",
  );
  assert.equal(nextCommand('report', [], given), "lunet report my.yaml --set a=b --set 'c=[1, 2]'");
  assert.equal(nextCommand('run', [], given), "lunet run my.yaml --set a=b --set 'c=[1, 2]' --engine wasm");
  assert.equal(nextCommand('report', [], { set: [], engine: 'auto' }), 'lunet report');
});

test('a shell reads back what was given', () => {
  for (const word of [
    "it's.yaml",
    'a b.yaml',
    '$HOME.yaml',
    '`x`',
    '*',
    '~',
    'a"b',
    '',
    'ü.yaml',
    '-x.yaml',
    '#a',
  ]) {
    const line = nextCommand('train', [], { path: word, set: [`experiment=${word}`] });
    const { stdout } = spawnSync('sh', ['-c', line.replace('lunet train', `printf '%s\\n'`)], {
      encoding: 'utf8',
    });
    assert.deepEqual(stdout.split('\n').slice(0, 3), [
      word.startsWith('-') ? `./${word}` : word,
      '--set',
      `experiment=${word}`,
    ]);
  }
});

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyFolder, lunet } from '../lunet.js';
import { TINY } from '../tiny.js';

test('lunet data preview draws what an epoch feeds, and replaces nothing unasked', () => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'lunet.yaml'), TINY);
  const set = ['--set', 'training.augmentation=standard'];
  const first = lunet(['data', 'preview', '--epoch', '3', ...set], { cwd });
  assert.equal(first.status, 0, first.stderr);
  assert.equal(first.stdout, 'runs/tiny/preview-epoch-3.png\n');
  assert.match(first.stderr, /Next: lunet train --set training\.augmentation=standard/);
  const file = join(cwd, 'runs/tiny/preview-epoch-3.png');
  const png = readFileSync(file);
  assert.equal(png.toString('latin1', 1, 4), 'PNG');

  const again = lunet(['data', 'preview', '--epoch', '3', ...set], { cwd });
  assert.equal(again.status, 2);
  assert.match(again.stderr, /^error: .*preview-epoch-3\.png: exists already; replace it with --force/m);
  const forced = lunet(['data', 'preview', '--epoch', '3', ...set, '--force', '--json'], { cwd });
  assert.equal(forced.status, 0, forced.stderr);
  assert.deepEqual(readFileSync(file), png, 'the same picture every time');
  const { samples, ...told } = JSON.parse(forced.stdout) as { samples: { title: string }[] };
  assert.deepEqual(told, { version: 1, file: 'runs/tiny/preview-epoch-3.png', split: 'default', seed: 1 });
  // Two steps of two of the five cases.
  assert.deepEqual(
    samples.map(({ title }) => title.replace(/phantom_\d+/, 'ID')),
    ['ID, epoch 3, step 1', 'ID, epoch 3, step 1', 'ID, epoch 3, step 2', 'ID, epoch 3, step 2'],
  );
});

test('lunet data preview names what is not there', () => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'lunet.yaml'), TINY);
  for (const [args, message] of [
    [['--epoch', '4'], /--epoch: found 4, expected at most 3: training\.epochs/],
    [['--case', 'phantom_99'], /--case: found phantom_99, expected one of phantom_/],
    [['--split', 'fold-1'], /--split: found fold-1, expected one of default/],
  ] as const) {
    const { status, stderr } = lunet(['data', 'preview', ...args], { cwd });
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  }
});

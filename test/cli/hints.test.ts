// Commands and options of other tools: lunet answers with one line that works.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyFolder, lunet } from './lunet.js';
import { TINY } from './tiny.js';

const lines: [args: string[], line: string][] = [
  [['train', '--epochs', '5'], 'lunet train --set training.epochs=5'],
  [['prune', '--epochs=5'], 'lunet prune --set pruning.recoveryEpochs=5'],
  [['retrain', '--epochs', '5'], 'lunet retrain --set retraining.epochs=5'],
  [
    ['train', 'lunet.yaml', '--lr', '0.1', '--batch-size', '4'],
    'lunet train lunet.yaml --set training.learningRate=0.1 --set training.batch=4',
  ],
  [['train', '--lr'], 'lunet train --set training.learningRate=VALUE'],
  [['train', '--seed', '3'], 'lunet train --seeds 3'],
  [['run', '--seed', '3'], "lunet run --set 'training.seeds=[3]'"],
  [['train', '--gpu', '0', '--json'], 'lunet train --engine tensorflow --json'],
  [['train', '--device', 'cuda'], 'lunet train --engine tensorflow'],
  [['train', '--device', 'cpu'], 'lunet train --engine native'],
  [['train', '--config', 'my config.yaml'], "lunet train 'my config.yaml'"],
  [['train', '--output', 'there'], 'lunet train --set output=there'],
  [['train', '--resume'], 'lunet train'],
  [['train', '--workers', '4'], 'lunet train'],
];

for (const [args, line] of lines)
  test(`lunet ${args.join(' ')}`, () => {
    const { status, stderr } = lunet(args);
    const [flag] = (args.find((word) => /^--/.test(word)) as string).split('=') as [string];
    assert.equal(status, 2);
    assert.equal(stderr.replace(/ \([^()]*\)\n$/, '\n'), `error: unknown option '${flag}': type: ${line}\n`);
  });

test('a line that is advised is one that works', () => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'lunet.yaml'), TINY);
  for (const [args, line] of lines.slice(0, 6)) {
    if (line.includes('VALUE') || args[0] === 'retrain') continue;
    const words = line
      .split(' ')
      .slice(1)
      .map((word) => word.replaceAll("'", ''));
    const { status, stderr } = lunet(
      [...words, '--dry-run', ...(words[0] === 'prune' ? ['--strategy', 'widest'] : [])],
      {
        cwd,
      },
    );
    assert.equal(status, 0, `${line}: ${stderr}`);
  }
});

for (const [name, says] of [
  ['plan', /lunet init FOLDER$/],
  ['infer', /type: lunet predict/],
  ['test', /lunet report; for files: lunet evaluate REFERENCE PREDICTION$/],
  ['plot', /lunet report$/],
  ['visualize', /lunet report$/],
  ['resume', /lunet run$/],
  ['validate', /lunet config$/],
  ['my.yaml', /lunet train my\.yaml$/],
] as const)
  test(`lunet ${name}`, () => {
    const { status, stdout, stderr } = lunet([name]);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, /^error: unknown command '[^\n]+\n$/);
    assert.match(stderr.trimEnd(), says);
  });

test('a folder or a volume in the place of a config', () => {
  const cwd = emptyFolder();
  const refused = (path: string): string => {
    const { status, stderr } = lunet(['train', path], { cwd });
    assert.equal(status, 2, stderr);
    assert.match(stderr, /^error: [^\n]+\n$/);
    return stderr.replace('error: ', '').trimEnd();
  };
  mkdirSync(join(cwd, 'Task 01'));
  assert.equal(
    refused('Task 01'),
    "Task 01: is a folder, expected an experiment config (YAML); type: lunet init 'Task 01'",
  );
  mkdirSync(join(cwd, 'own'));
  writeFileSync(join(cwd, 'own/lunet.yaml'), TINY);
  assert.match(refused('own'), /type: lunet train own\/lunet\.yaml$/);
  writeFileSync(join(cwd, 'a.nii.gz'), Buffer.from([0x1f, 0x8b, 8]));
  assert.match(refused('a.nii.gz'), /is a volume, expected an experiment config/);
  assert.match(refused('training.epochs=4'), /a setting is given as --set training\.epochs=4$/);
});

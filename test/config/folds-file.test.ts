// Folds in an experiment: given as a number, or by a file as nnU-Net writes it.

import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadExperiment } from '../../src/config/load.js';
import { type Experiment } from '../../src/config/schema.js';
import { namedSplits } from '../../src/config/splits.js';
import { UserError } from '../../src/errors.js';

const root = mkdtempSync(join(tmpdir(), 'lunet-'));
const config = join(root, 'lunet.yaml');
const file = join(root, 'splits_final.json');

function load(split: string, groups = ''): Experiment {
  writeFileSync(
    config,
    `experiment: tiny
dataset:
  layout: folders
  root: ${root}
  labels: { organ: 1 }
  split: ${split}
  ${groups}
preprocessing: { size: [16, 16, 16] }
models: [{ family: unet, n: 2, levels: 2 }]
training: { epochs: 1 }
`,
  );
  return loadExperiment(config).config;
}

function complaint(kind: string, ...args: Parameters<typeof load>): string {
  try {
    load(...args);
  } catch (error) {
    assert.ok(error instanceof UserError && error.kind === kind, String(error));
    return error.message.replaceAll(file, 'FILE').replace(/^.*lunet\.yaml:\d+:\d+: /, '');
  }
  return 'accepted';
}

function fileComplaint(content: string): string {
  writeFileSync(file, content);
  return complaint('data', '{ file: splits_final.json }');
}

describe('folds of an experiment', () => {
  it('are splits with names, which load again to the same', () => {
    const { dataset } = load('{ folds: 3, validation: 2 }');
    assert.deepEqual(dataset.split, { folds: 3, seed: 0, validation: 2 });
    const splits = namedSplits({ dataset });
    assert.deepEqual([...splits.keys()], ['fold-0', 'fold-1', 'fold-2']);
    assert.deepEqual(splits.get('fold-1'), { folds: 3, seed: 0, validation: 2, fold: 1 });
  });
  it('complain about the keys that are meant', () => {
    assert.equal(complaint('usage', '{ folds: 1 }'), 'dataset.split.folds: found 1, expected at least 2');
    assert.equal(complaint('usage', '{ folds: 3, test: 2 }'), 'dataset.split.test: found beside folds, expected one or the other'); // prettier-ignore
    assert.equal(complaint('usage', '{ train: 3 }'), 'dataset.split.test: missing, expected a number of cases or a list of case ids'); // prettier-ignore
    assert.equal(complaint('usage', '5'), 'dataset.split: found 5, expected the keys train and test, or folds, or file'); // prettier-ignore
    assert.equal(complaint('usage', '{ folds: 3 }', "groups: '(p'"), 'dataset.groups: found "(p", expected a regular expression'); // prettier-ignore
  });
});

describe('a file of folds', () => {
  const FOLDS = '[{"train": ["b", "c"], "val": ["a"]}, {"train": ["a"], "val": ["b", "c"]}]';
  const LISTS = [
    { train: ['b', 'c'], validation: [], test: ['a'] },
    { train: ['a'], validation: [], test: ['b', 'c'] },
  ];
  it('is read when the experiment is loaded: val are the test cases', () => {
    writeFileSync(file, FOLDS);
    const { dataset } = load('{ file: splits_final.json }');
    assert.deepEqual(dataset.split, { file: 'splits_final.json', lists: LISTS });
    assert.deepEqual([...namedSplits({ dataset }).keys()], ['fold-0', 'fold-1']);
    assert.deepEqual(load(`{ file: ${file} }`).dataset.split, { file, lists: LISTS });
  });
  it('is not read again by a copy of the experiment that has its folds', () => {
    const { dataset } = load(`{ file: gone.json, lists: ${JSON.stringify(LISTS)} }`);
    assert.deepEqual(dataset.split, { file: 'gone.json', lists: LISTS });
  });
  it('that is missing or no such file is a line', () => {
    assert.equal(
      complaint('data', '{ file: gone.json }'),
      `${join(root, 'gone.json')}: no such file or folder; expected the folds of dataset.split.file, as in nnU-Net's splits_final.json`,
    );
    assert.match(fileComplaint('{"train": '), /^FILE: is not JSON: [^\n]*$/);
    assert.equal(
      fileComplaint('{"train": ["a"], "val": ["b"]}'),
      'FILE: found a group of keys, expected a list of folds: [{"train": [case ids], "val": [case ids]}, ...]',
    );
    assert.match(fileComplaint('[]'), /^FILE: found a list of 0, expected a list of folds/);
  });
  it('names every problem of its folds', () => {
    assert.equal(
      fileComplaint(
        '[{"train": ["a", "b", "a"], "val": ["b"]}, {"train": ["a"]}, null, {"train": [1], "val": []}]',
      ),
      [
        'FILE: fold 0: train: found a, which is in train already',
        'FILE: fold 0: val: found b, which is in train already',
        'FILE: fold 1: val: found nothing, expected a list of case ids',
        'FILE: fold 2: train: found nothing, expected a list of case ids',
        'FILE: fold 2: val: found nothing, expected a list of case ids',
        'FILE: fold 3: train: found a list of 1, expected a list of case ids',
        'FILE: fold 3: val: found a list of 0, expected a list of case ids',
      ].join('\n'),
    );
  });
});

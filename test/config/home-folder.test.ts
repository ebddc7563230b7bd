// `~` in paths that no shell expands: config file, --set, environment.

import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { parseFolder } from '../../src/cli/options.js';
import { loadExperiment } from '../../src/config/load.js';
import { type Experiment } from '../../src/config/schema.js';

const file = join(mkdtempSync(join(tmpdir(), 'lunet-')), 'e.yaml');
const { HOME: home } = process.env;
beforeEach(() => {
  process.env['HOME'] = '/people/me';
  delete process.env['LUNET_OUTPUT'];
});
afterEach(() => {
  process.env['HOME'] = home;
  delete process.env['LUNET_OUTPUT'];
});

function load(output: string, root: string, ...overrides: string[]): Experiment {
  writeFileSync(
    file,
    `experiment: e
${output}
dataset: { layout: folders, root: ${root}, labels: { a: 1 }, split: { train: 1, test: 1 } }
preprocessing: { size: [8, 8, 8] }
models: [{ family: lunet, n: 2, levels: 2 }]
`,
  );
  return loadExperiment(file, overrides).config;
}

test('~ stands for the home folder, wherever a path comes from, and nowhere but at its start', () => {
  const { output, dataset } = load('output: ~/results', '~/data');
  assert.deepEqual([output, dataset.root], ['/people/me/results', '/people/me/data']);
  const set = load('', 'data', 'output=~/there', 'dataset.root=~/');
  assert.deepEqual([set.output, set.dataset.root], ['/people/me/there', '/people/me/']);
  process.env['LUNET_OUTPUT'] = '~';
  assert.equal(load('output: elsewhere', 'data').output, '/people/me');
  delete process.env['LUNET_OUTPUT'];
  const plain = load('output: ./~/a', 'a/~/b~');
  assert.deepEqual([plain.output, plain.dataset.root], ['./~/a', 'a/~/b~']);
});

test('what is resolved loads again to the same', () => {
  const config = load('output: ~/results', '~/data');
  writeFileSync(file, JSON.stringify(config));
  assert.deepEqual(loadExperiment(file).config, config);
});

test("another user's home folder is refused, with the place it comes from", () => {
  const expected = 'expected a path; only ~/ is expanded, to your own home folder (for a folder of that name write ./~NAME)'; // prettier-ignore
  const complaint = (...args: Parameters<typeof load>): string => {
    try {
      load(...args);
      return 'accepted';
    } catch (error) {
      return (error as Error).message.replaceAll(file, 'FILE');
    }
  };
  assert.equal(complaint('output: ~you/x', 'data'), `FILE:2:9: output: found "~you/x", ${expected}`);
  assert.equal(complaint('', '~you'), `FILE:3:35: dataset.root: found "~you", ${expected}`);
  assert.equal(complaint('', 'data', 'output=~you/x'), `--set: output: found "~you/x", ${expected}`);
  process.env['LUNET_OUTPUT'] = '~you';
  assert.equal(complaint('', 'data'), `LUNET_OUTPUT: output: found "~you", ${expected}`);
});

test('~ in an option that no shell has read', () => {
  assert.equal(parseFolder('~/x'), '/people/me/x');
  assert.equal(parseFolder('./~/x'), './~/x');
  assert.throws(() => parseFolder('~you/x'), /expected a path; only ~\/ is expanded/);
});

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadExperiment } from '../../src/config/load.js';
import { keepConfig, keptConfigs } from '../../src/experiment/kept-config.js';
import { TINY } from '../cli/tiny.js';

const folder = mkdtempSync(join(tmpdir(), 'lunet-'));
const file = join(folder, 'experiment.yaml');
writeFileSync(file, TINY);

const load = (...settings: string[]) => loadExperiment(file, [`output=${folder}/runs`, ...settings]).config;

describe('a kept config', () => {
  it('means the same, whatever its texts and numbers are', () => {
    const texts = [
      '007',
      'yes',
      'null',
      'a #b',
      ' a ',
      'a: b',
      "it's",
      '- a',
      'ä\u2028b',
      '1e3',
      '"',
      'x '.repeat(99),
    ];
    for (const text of texts) {
      const root = `dataset.root=${JSON.stringify(text)}`;
      const config = load('dataset.layout=folders', root, 'training.learningRate=1.23456789e-7');
      assert.equal(config.dataset.root, text);
      assert.deepEqual(loadExperiment(keepConfig(config)).config, config, text);
    }
  });
  it('stays as it is when another is kept beside it', () => {
    const first = keepConfig(load('training.epochs=7'));
    const before = readFileSync(first, 'utf8');
    const second = keepConfig(load('training.epochs=8'));
    assert.notEqual(first, second);
    assert.equal(readFileSync(first, 'utf8'), before);
    assert.equal(keepConfig(load('training.epochs=7')), first);
    assert.ok(keptConfigs(load()).includes(first) && keptConfigs(load()).includes(second));
  });
  it('is written again if it was changed', () => {
    const path = keepConfig(load());
    writeFileSync(path, 'experiment: other\n');
    assert.equal(keepConfig(load()), path);
    assert.deepEqual(loadExperiment(path).config, load());
  });
});

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { format, resolveConfig } from 'prettier';
import { loadExperiment } from '../../src/config/load.js';
import { shippedConfigs } from '../../src/config/shipped.js';
import { configReference, experimentJsonSchema } from '../../src/config/reference.js';

const files = readdirSync(shippedConfigs).filter((file) => file.endsWith('.yaml'));

for (const file of files) {
  test(`${file} is valid, commented and known to editors`, () => {
    const text = readFileSync(join(shippedConfigs, file), 'utf8');
    assert.match(text, /^# yaml-language-server: \$schema=lunet\.schema\.json\n# /);
    const { config } = loadExperiment(join(shippedConfigs, file));
    assert.equal(`${config.experiment}.yaml`, file);
  });
}

test('the configs of the three data sets have the published settings', () => {
  const load = (file: string) => loadExperiment(join(shippedConfigs, file)).config;
  for (const [file, n, levels, convs, batch, recoveryEpochs, learningRate, size] of [
    ['harp.yaml', 4, 5, 2, 16, 5, 0.01, 64],
    ['submandibular-gland.yaml', 24, 4, 3, 1, 1, 0.001, 128],
    ['tracheal-tree.yaml', 24, 4, 3, 1, 1, 0.001, 128],
  ] as const) {
    const { models, training, pruning, preprocessing } = load(file);
    assert.deepEqual(preprocessing.size, [size, size, size]);
    assert.deepEqual(
      models.flatMap((model) => (model.family === 'unet' ? [[model.n, model.scale]] : [])),
      [1, 0.75, 0.5, 0.25].map((scale) => [n, scale]),
    );
    assert.ok(models.some((model) => model.family === 'lunet' && model.n === n));
    assert.ok(
      models.every(
        (model) => model.family !== 'explicit' && model.levels === levels && model.convs === convs,
      ),
    );
    assert.deepEqual(
      [training.batch, training.learningRate, training.seeds.length],
      [batch, learningRate, 3],
    );
    assert.deepEqual(pruning.strategies, ['stamp', 'random-in-block', 'widest']);
    assert.deepEqual([pruning.recoveryEpochs, pruning.dropout.base], [recoveryEpochs, 0.05]);
  }
  const { splits } = load('harp.yaml').dataset;
  assert.deepEqual(
    Object.values(splits ?? {}).map(({ train, test }) => [train, test]),
    [
      [200, 70],
      [50, 220],
    ],
  );
});

for (const [file, text] of [
  ['configs/lunet.schema.json', JSON.stringify(experimentJsonSchema())],
  ['docs/config.md', configReference()],
] as const) {
  test(`${file} is up to date (npm run reference)`, async () => {
    const path = join(dirname(shippedConfigs), file);
    const expected = await format(text, { ...(await resolveConfig(path)), filepath: path });
    assert.equal(readFileSync(path, 'utf8'), expected);
  });
}

test('every key has a description', () => {
  const bare = JSON.stringify(experimentJsonSchema(), (_, value: unknown) => {
    const { properties } = (value ?? {}) as { properties?: Record<string, { description?: string }> };
    for (const [key, node] of Object.entries(properties ?? {}))
      if (key !== 'window' && key !== 'percentile') assert.ok(node.description, key);
    return value;
  });
  assert.ok(bare.length > 0);
});

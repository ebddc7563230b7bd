// The 190 hippocampus cases of the Decathlon, if LUNET_TEST_DATA is the folder that contains them.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { loadExperiment } from '../../src/config/load.js';
import { shippedConfigs } from '../../src/config/shipped.js';
import { loadDataset } from '../../src/data/dataset.js';

const folder = process.env['LUNET_TEST_DATA'];
const skip = folder === undefined ? 'LUNET_TEST_DATA is not set' : false;

it('real cases load whole, with their labels inside and their intensities normalised', { skip }, async () => {
  const { config } = loadExperiment(join(shippedConfigs, 'hippocampus.yaml'), [
    `dataset.root=${JSON.stringify(join(folder as string, 'Task04_Hippocampus'))}`,
  ]);
  const dataset = await loadDataset(config);
  assert.equal(dataset.ids.length, 190);
  assert.deepEqual(dataset.size, [48, 64, 48]);
  const split = dataset.splits.get('default');
  assert.deepEqual([split?.train.length, split?.test.length], [140, 50]);
  for (const id of dataset.ids) {
    const { image, label } = dataset.sample(id);
    const labelled = label.reduce((sum, index) => sum + Number(index > 0), 0);
    assert.ok(labelled > 500 && labelled < 10_000, `${id}: ${labelled} labelled voxels`);
    const squares = image.reduce((sum, value) => sum + value * value, 0);
    const inside = image.reduce((sum, value) => sum + Number(value !== 0), 0);
    // Padding is 0; the voxels of each volume have mean 0 and variance 1.
    assert.ok(Math.abs(squares / inside - 1) < 0.05, `${id}: mean square ${squares / inside}`);
  }
});

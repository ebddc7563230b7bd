import assert from 'node:assert/strict';
import { it } from 'node:test';
import { experimentSchema } from '../../src/config/schema.js';
import { type LabelSummary } from '../../src/data/inspect/summary.js';
import { chooseLabels } from '../../src/init/labels.js';

const found = (...values: number[]): LabelSummary[] =>
  values.map((value) => ({
    value,
    name: undefined,
    cases: 1,
    voxels: 9,
    ml: { min: 1, median: 1, max: 1 },
  }));

it('takes labels and regions that occur from dataset.json', () => {
  const chosen = chooseLabels(found(1, 2, 9, 255), {
    labels: [
      ['whole', [1, 2]],
      ['core', [2]],
      ['rare', [3]],
    ],
    ignore: 255,
  });
  assert.deepEqual(chosen.outputs, { whole: [1, 2], core: 2 });
  assert.deepEqual(chosen.others, [9]);
  assert.match(chosen.why, /no case has rare/);
});

it('names labels that have no name, and only as experiment files allow it', () => {
  const labels = experimentSchema.shape.dataset.shape.labels;
  const { outputs, others } = chooseLabels(found(1, 4), { labels: undefined, ignore: undefined });
  assert.deepEqual(outputs, { 'label 1': 1, 'label 4': 4 });
  assert.deepEqual(others, []);
  const odd = chooseLabels(found(1, 2, 3, 4), {
    labels: [
      ['left (L)', [1]],
      ['left [L]', [2]],
      ['4th ventricle', [3]],
      ['???', [4]],
    ],
    ignore: undefined,
  });
  assert.deepEqual(odd.outputs, { 'left L': 1, 'left L 2': 2, 'label 4th ventricle': 3, label: 4 });
  labels.parse(odd.outputs);
  const many = chooseLabels(found(...Array.from({ length: 40 }, (_, i) => i + 1)), {
    labels: undefined,
    ignore: undefined,
  });
  assert.equal(Object.keys(many.outputs).length, 32);
  assert.equal(many.others.length, 8);
});

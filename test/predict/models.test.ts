import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Model } from '../../src/model/model.js';
import { inferenceOf } from '../../src/predict/models.js';
import { type OpenedModel } from '../../src/runs/network-file.js';
import { modelWith } from '../inference/fake-engine.js';

const opened = (path: string, model: Partial<Model>): OpenedModel => ({
  path,
  digest: path,
  model: { ...modelWith([{ name: 'organ', values: [1] }], {}), ...model },
});
const [old, a, b, c] = [
  opened('old', { mirror: ['x'] }),
  opened('a', { mirror: ['x', 'z'], inference: { overlap: 0.75, mirror: ['z'] } }),
  opened('b', { mirror: ['y', 'z'], inference: { overlap: 0.75, mirror: ['z'] } }),
  opened('c', { mirror: [], inference: { overlap: 0.75, mirror: [] } }),
];

describe('how an ensemble lays its windows', () => {
  it('is what its models say, half overlapping where they say nothing', () => {
    assert.deepEqual(inferenceOf([old], {}), { overlap: 0.5, mirror: [] });
    assert.deepEqual(inferenceOf([a, b], {}), { overlap: 0.75, mirror: ['z'] });
  });

  it('is what is asked for, mirrored along the axes that all models were', () => {
    assert.deepEqual(inferenceOf([a, old], { overlap: 0, mirror: true }), { overlap: 0, mirror: ['x'] });
    assert.deepEqual(inferenceOf([a, b], { mirror: true }), { overlap: 0.75, mirror: ['z'] });
    assert.deepEqual(inferenceOf([a], { mirror: false }), { overlap: 0.75, mirror: [] });
  });

  it('is asked for where models differ, and never mirrored where one was not', () => {
    assert.throws(
      () => inferenceOf([a, old], {}),
      /^UserError: old: inference.overlap: found 0.5, but a has 0.75; say which with --overlap$/,
    );
    assert.throws(
      () => inferenceOf([a, c], {}),
      /^UserError: c: inference.mirror: found \[\], but a has \["z"\]; say which with --mirror or --no-mirror$/,
    );
    assert.throws(
      () => inferenceOf([a, c], { mirror: true }),
      /--mirror: found models that were not mirrored/,
    );
  });
});

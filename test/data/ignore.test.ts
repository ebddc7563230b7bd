import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Experiment } from '../../src/config/schema.js';
import { labelIndices, labelTargets, withIgnore } from '../../src/data/labels.js';

const config = (ignore?: number): Experiment =>
  ({ dataset: { labels: { left: 1, right: [2, 7] }, ignore } }) as unknown as Experiment;
const listing = (names: [number, string][]) => ({ labels: { names: new Map(names), key: 'dataset.json' } });

describe('the ignored value', () => {
  it('has an index of its own, which belongs to no output', () => {
    const { dataset } = config(5);
    const indices = labelIndices(dataset);
    assert.deepEqual(
      [...indices],
      [
        [1, 1],
        [2, 2],
        [7, 3],
        [5, 4],
      ],
    );
    assert.deepEqual([...labelTargets(dataset.labels, indices)].slice(0, 5), [0, 1, 2, 2, 0]);
  });

  it("is nnU-Net's where dataset.json names one and the config does not", () => {
    const known = listing([
      [0, 'background'],
      [7, 'right'],
      [8, 'ignore'],
    ]);
    const found = withIgnore(config(), known);
    assert.equal(found.config.dataset.ignore, 8);
    assert.match(found.note[0] as string, /^voxels of value 8 are left out .* dataset.json names it ignore$/);
    assert.equal(withIgnore(config(5), known).config.dataset.ignore, 5);
    assert.equal(withIgnore(config(), undefined).config.dataset.ignore, undefined);
  });

  it('must be the highest, as in nnU-Net', () => {
    const known = listing([
      [3, 'ignore'],
      [7, 'right'],
    ]);
    assert.throws(() => withIgnore(config(), known), /ignore: found 3, expected the highest value, 8/);
  });
});

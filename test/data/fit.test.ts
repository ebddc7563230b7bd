import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fitNormalisation, foregroundValues } from '../../src/data/fit.js';
import { type FittedConstants } from '../../src/data/normalise.js';
import { stream } from '../../src/random.js';

/** NumPy's percentile, mean and std, in double precision. */
function numpy(values: readonly number[]): FittedConstants {
  const sorted = [...values].sort((a, b) => a - b);
  const percentile = (percent: number): number => {
    const place = ((sorted.length - 1) * percent) / 100;
    const [a, b] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
    return a + (b - a) * (place % 1);
  };
  const mean = sorted.reduce((a, b) => a + b) / sorted.length;
  const variance = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sorted.length;
  return { clip: [percentile(0.5), percentile(99.5)], mean, deviation: Math.sqrt(variance) };
}

const random = stream(1, 'fit');
const normal = (mean: number, deviation: number, count: number): number[] =>
  Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
    return Math.fround(mean + deviation * radius * Math.cos(2 * Math.PI * random.uniform()));
  });
const caseOf = (...foreground: number[][]) => ({ channels: foreground.length, foreground });
const near = (found: FittedConstants, expected: FittedConstants, tolerance: number): void => {
  for (const [a, b] of [
    [found.clip[0], expected.clip[0]],
    [found.clip[1], expected.clip[1]],
    [found.mean, expected.mean],
    [found.deviation, expected.deviation],
  ] as const)
    assert.ok(Math.abs(a - b) <= tolerance, `${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
};

describe('foreground', () => {
  it('is the voxels of labels, ascending', () => {
    const voxels = Float64Array.of(5, 4, 3, 2, 1, 0);
    const label = Uint8Array.of(0, 1, 2, 3, 1, 0);
    assert.deepEqual(
      foregroundValues(voxels, label, (index) => index === 1 || index === 2),
      [1, 3, 4],
    );
    assert.deepEqual(
      foregroundValues(voxels, label, () => false),
      [],
    );
  });
  it('is at most 10 000 evenly spaced ranks of a large one', () => {
    // Every value below a count once, in no order.
    const valuesOf = (count: number): number[] => {
      const voxels = Float32Array.from({ length: count }, (_, i) => (i * 1_000_003) % count);
      return foregroundValues(voxels, new Uint8Array(count).fill(1), (index) => index > 0);
    };
    assert.deepEqual(
      valuesOf(1_000_000),
      Array.from({ length: 10_000 }, (_, i) => 100 * i + 50),
    );
    // Of more than 2^20 voxels every n-th is looked at.
    const count = 3_000_000;
    const values = valuesOf(count);
    assert.equal(values.length, 10_000);
    const off = values.reduce(
      (most, value, i) => Math.max(most, Math.abs(value / count - (i + 0.5) / 10_000)),
      0,
    );
    assert.ok(off < 1e-3, `${off}`);
  });
});

describe('ct', () => {
  it('fits what NumPy finds in the foreground of all training cases', () => {
    const cases = [normal(40, 30, 10_000), normal(-5, 80, 10_000), normal(100, 10, 10_000)];
    const values = cases.map((found) =>
      foregroundValues(Float32Array.from(found), new Uint8Array(10_000).fill(1), (i) => i > 0),
    );
    const found = fitNormalisation(
      'ct',
      values.map((each) => caseOf(each)),
      'default',
    ) as FittedConstants;
    near(found, numpy(cases.flat()), 1e-4);
  });
  it('counts a small foreground as much as a large one, and passes over cases without any', () => {
    const [small, large] = [normal(0, 1, 2500), normal(50, 5, 10_000)];
    const sorted = [small, large, []].map((values) => values.sort((a, b) => a - b));
    const found = fitNormalisation(
      'ct',
      sorted.map((each) => caseOf(each)),
      'default',
    ) as FittedConstants;
    near(found, numpy([small, small, small, small, large].flat()), 1e-4);
  });
  it('fits the channels that ask for it, and leaves others as they are', () => {
    const cases = [caseOf([1, 2, 3], [], [7])];
    const [ct, score, constant] = fitNormalisation(['ct', 'z-score', 'ct'], cases, 'default') as never[];
    near(ct as unknown as FittedConstants, { ...numpy([1, 2, 3]), clip: [1, 3] }, 1e-3);
    assert.equal(score, 'z-score');
    assert.deepEqual(constant, { clip: [7, 7], mean: 7, deviation: 1e-8 });
    assert.equal(
      (fitNormalisation('ct', [caseOf([1], [2], [3])], 'default') as FittedConstants[]).length,
      3,
      'one for each channel',
    );
    assert.deepEqual(fitNormalisation({ window: [0, 1] }, cases, 'default'), { window: [0, 1] });
  });
  it('without any foreground says which split has none', () => {
    assert.throws(
      () => fitNormalisation('ct', [caseOf([]), caseOf([])], 'fold-1'),
      /preprocessing\.normalisation: ct: found no foreground voxel in the 2 training cases of split fold-1/,
    );
  });
});

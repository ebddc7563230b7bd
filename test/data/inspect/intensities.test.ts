import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Intensities, IntensityCounter, IntensitySum } from '../../../src/data/inspect/intensities.js';
import { stream } from '../../../src/random.js';

const random = stream(1, 'intensities');

function counted(values: ArrayLike<number>, piece = 1000): Intensities {
  const counter = new IntensityCounter();
  const voxels = Float32Array.from(values);
  for (let at = 0; at < voxels.length; at += piece) counter.add(voxels.subarray(at, at + piece));
  return counter.found();
}

/** By sorting all values. */
function expected(values: readonly number[]) {
  const sorted = Float32Array.from(values).sort();
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const at = (percent: number): number => sorted[Math.round((percent / 100) * (sorted.length - 1))] as number;
  return {
    min: sorted[0] as number,
    max: sorted.at(-1) as number,
    mean,
    deviation: Math.sqrt(sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sorted.length),
    percentiles: { '0.5': at(0.5), '50': at(50), '99.5': at(99.5) },
  };
}

const close = (found: number, wanted: number, part: number): void =>
  assert.ok(Math.abs(found - wanted) <= part * Math.abs(wanted) + 1e-30, `${found}, expected ${wanted}`);

describe('intensities', () => {
  it('of whole numbers as in CT are exact', () => {
    const values = Array.from({ length: 5003 }, () => random.integer(4096) - 1024);
    const sum = new IntensitySum();
    sum.add('a', counted(values));
    const { voxels, min, max, mean, deviation, percentiles } = sum.statistics() ?? assert.fail();
    const oracle = expected(values);
    assert.deepEqual(
      { voxels, min, max, percentiles },
      { voxels: 5003, min: oracle.min, max: oracle.max, percentiles: oracle.percentiles },
    );
    close(mean, oracle.mean, 1e-12);
    close(deviation, oracle.deviation, 1e-12);
  });

  it('of any size and sign are right to 0.05 %', () => {
    for (const scale of [1e-20, 1, 1e6, 1e30]) {
      const values = Array.from({ length: 3001 }, () => scale * random.normal());
      const sum = new IntensitySum();
      sum.add('a', counted(values, 77));
      const found = sum.statistics() ?? assert.fail();
      const oracle = expected(values);
      for (const percent of ['0.5', '50', '99.5'] as const)
        close(found.percentiles[percent], oracle.percentiles[percent], 5e-4);
      close(found.deviation, oracle.deviation, 1e-9);
      assert.equal(found.max, oracle.max);
    }
  });

  it('of many cases are the same to the bit in any order', () => {
    const cases = Array.from({ length: 5 }, (_, i) =>
      counted(Array.from({ length: 100 + i }, () => random.normal() * 1e3 + 7)),
    );
    const [forwards, backwards] = [new IntensitySum(), new IntensitySum()];
    cases.forEach((found, i) => forwards.add(`case ${i}`, found));
    cases
      .map((found, i) => [i, found] as const)
      .reverse()
      .forEach(([i, found]) => backwards.add(`case ${i}`, found));
    assert.deepEqual(forwards.statistics(), backwards.statistics());
    assert.equal(new IntensitySum().statistics(), undefined);
  });

  it('far from 0 keep their deviation', () => {
    const sum = new IntensitySum();
    sum.add(
      'a',
      counted(
        Array.from({ length: 4000 }, (_, i) => 1e6 + (i % 2)),
        100,
      ),
    );
    close(sum.statistics()?.deviation ?? NaN, 0.5, 1e-9);
  });
});

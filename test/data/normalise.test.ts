import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyFitted, normalise } from '../../src/data/normalise.js';

describe('normalisation', () => {
  it('over voxels that are not 0 leaves zeros at 0', () => {
    const voxels = Float32Array.from([0, 5, 0, -7, 9, 1, 0]);
    assert.deepEqual(normalise(voxels, 'z-score-nonzero'), { min: -7, max: 9 });
    // The mean of 5, -7, 9, 1 is 2, their variance (9 + 81 + 49 + 1) / 4 = 35.
    const expected = [0, 3, 0, -9, 7, -1, 0].map((value) => value / Math.sqrt(35));
    assert.ok(voxels.every((value, i) => Math.abs(value - (expected[i] as number)) < 1e-6));
    const constant = Float32Array.from([0, 0.1, 0.1, 0.1, 0]);
    normalise(constant, 'z-score-nonzero');
    assert.deepEqual([...constant], [0, 0, 0, 0, 0]);
    const empty = new Float32Array(3);
    assert.deepEqual(normalise(empty, 'z-score-nonzero'), { min: 0, max: 0 });
    assert.deepEqual([...empty], [0, 0, 0]);
  });
  it('with fitted constants clips, shifts and scales; ct alone leaves voxels as they are', () => {
    const voxels = Float64Array.from([-1000, 0, 40, 3000]);
    const constants = { clip: [-100, 200], mean: 50, deviation: 25 } as const;
    assert.deepEqual(normalise(voxels, 'ct'), { min: -1000, max: 3000 });
    assert.deepEqual([...voxels], [-1000, 0, 40, 3000]);
    assert.deepEqual(normalise(voxels, constants), { min: -1000, max: 3000 });
    assert.deepEqual([...voxels], [-6, -2, -0.4, 6]);
  });
  it('applies fitted constants to the channels that have them, and leaves padding at 0', () => {
    // Two channels of 3 x 2 x 2 voxels; of each, two voxels of the first row of both planes are no padding.
    const plane = [0, 9, 100, 0, 0, 0];
    const image = Float32Array.from([...plane, ...plane, ...plane, ...plane]);
    const constants = { clip: [8, 10], mean: 6, deviation: 2 } as const;
    applyFitted(image, [3, 2, 2], { from: [1, 0, 0], to: [3, 1, 2] }, [constants, 'z-score']);
    const applied = [0, 1.5, 2, 0, 0, 0];
    assert.deepEqual([...image], [...applied, ...applied, ...plane, ...plane]);
  });
  it('z-score gives mean 0 and variance 1; a constant volume becomes 0 and is reported', () => {
    const voxels = Float32Array.from([1, 2, 3, 4, 10]);
    assert.deepEqual(normalise(voxels, 'z-score'), { min: 1, max: 10 });
    const mean = voxels.reduce((a, b) => a + b, 0) / 5;
    assert.ok(Math.abs(mean) < 1e-6);
    assert.ok(Math.abs(voxels.reduce((a, b) => a + (b - mean) ** 2, 0) / 5 - 1) < 1e-6);
    const constant = Float32Array.from([3, 3]);
    assert.deepEqual(normalise(constant, 'z-score'), { min: 3, max: 3 });
    assert.deepEqual([...constant], [0, 0]);
  });
  it('windows and percentiles clip to 0..1', () => {
    const voxels = Float32Array.from([-1000, -100, 0, 100, 3000]);
    normalise(voxels, { window: [-100, 100] });
    assert.deepEqual([...voxels], [0, 0, 0.5, 1, 1]);
    const ranks = Float32Array.from([0, 1, 2, 3, 4]);
    normalise(ranks, { percentile: [25, 75] });
    assert.deepEqual([...ranks], [0, 0, 0.5, 1, 1]);
  });
});

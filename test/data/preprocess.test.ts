import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cropPad, normalise, resample, resampledSize } from '../../src/data/preprocess.js';

describe('crop and pad', () => {
  it('pads floor((size - n) / 2) before and crops floor((n - size) / 2) before, axis by axis', () => {
    const voxels = Float32Array.from({ length: 5 * 2 * 1 }, (_, i) => i + 1); // x 5, y 2, z 1
    const out = new Float32Array(2 * 5 * 2);
    cropPad(voxels, [5, 2, 1], [2, 5, 2], out);
    // x: floor(3 / 2) = 1 cropped before; y: floor(3 / 2) = 1 padded before; z: floor(1 / 2) = 0.
    assert.deepEqual([...out], [0, 0, 2, 3, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

describe('resampling', () => {
  it('keeps the extent and a linear ramp', () => {
    assert.deepEqual(resampledSize([10, 10, 5], [1, 1, 2], [2, 0.5, 1]), [5, 20, 10]);
    const ramp = Float32Array.from({ length: 8 }, (_, i) => i);
    const half = resample(ramp, [8, 1, 1], [4, 1, 1], false);
    assert.deepEqual([...half], [0.5, 2.5, 4.5, 6.5]);
  });
  it('takes the nearest label and makes up none', () => {
    const labels = Uint8Array.from([0, 0, 3, 3, 1, 1]);
    assert.deepEqual(
      [...resample(labels, [6, 1, 1], [3, 1, 1], true)].every((value) => [0, 1, 3].includes(value)),
      true,
    );
    assert.deepEqual(
      [...resample(labels, [6, 1, 1], [12, 1, 1], true)],
      [0, 0, 0, 0, 3, 3, 3, 3, 1, 1, 1, 1],
    );
  });
});

describe('normalisation', () => {
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

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { axisWindows, cutWindow } from '../../src/inference/windows.js';

describe('windows along an axis', () => {
  it('are one, counting alike, where the grid fits into it', () => {
    for (const grid of [1, 7, 8]) {
      const { starts, weights, sums } = axisWindows(grid, 8, 0.5);
      assert.deepEqual(starts, [0]);
      assert.deepEqual([...weights, ...sums], new Array(16).fill(1));
    }
  });

  it('overlap by half at least, from the first voxel to the last', () => {
    assert.deepEqual(axisWindows(12, 8, 0.5).starts, [0, 4]);
    assert.deepEqual(axisWindows(9, 8, 0.5).starts, [0, 1]);
    assert.deepEqual(axisWindows(256, 64, 0.5).starts, [0, 32, 64, 96, 128, 160, 192]);
    for (const grid of [9, 11, 13, 30, 41, 77]) {
      const { starts } = axisWindows(grid, 8, 0.5);
      assert.equal(starts[0], 0);
      assert.equal(starts.at(-1), grid - 8);
      starts
        .slice(1)
        .forEach((start, i) => assert.ok(start - (starts[i] as number) <= 4, `${grid}: ${starts.join()}`));
    }
  });

  it('overlap by what is asked for, and do not where nothing is', () => {
    assert.deepEqual(axisWindows(24, 8, 0).starts, [0, 8, 16]);
    assert.deepEqual(axisWindows(25, 8, 0).starts, [0, 6, 11, 17]);
    assert.deepEqual(axisWindows(24, 8, 0.75).starts, [0, 2, 4, 6, 8, 10, 12, 14, 16]);
    // 20 x (1 - 0.9) is less than 2 by rounding.
    assert.equal(axisWindows(60, 20, 0.9).starts.length, 21);
    // Steps of less than a voxel would give a window twice.
    assert.deepEqual(axisWindows(7, 4, 0.9).starts, [0, 1, 2, 3]);
    for (const overlap of [0, 0.1, 0.3, 0.6, 0.9])
      for (const grid of [9, 11, 30, 77])
        axisWindows(grid, 10, overlap).starts.forEach((start, i, starts) => {
          const shared = i === 0 ? 10 : 10 - (start - (starts[i - 1] as number));
          // Starts are whole voxels.
          assert.ok(shared > 10 * overlap - 1, `${grid} ${overlap}: ${starts.join()}`);
        });
  });

  it('count most in their middle, by a Gaussian of an eighth of their length', () => {
    const { starts, weights, sums } = axisWindows(20, 8, 0.5);
    weights.forEach((weight, i) => {
      assert.ok(Math.abs(weight - Math.max(1e-3, Math.exp(-((i - 3.5) ** 2) / 2))) < 1e-7);
    });
    sums.forEach((sum, at) => {
      const counted = starts.map((start) => weights[at - start] ?? 0);
      assert.ok(Math.abs(sum - counted.reduce((a, b) => a + b, 0)) < 1e-6);
    });
  });
});

describe('a window', () => {
  it('is cut out of a channel, with zeros around it', () => {
    const voxels = Float32Array.from({ length: 3 * 4 * 5 }, (_, i) => i + 1);
    const at = (x: number, y: number, z: number): number =>
      x < 0 || x >= 3 || y < 0 || y >= 4 || z < 0 || z >= 5 ? 0 : 1 + (z * 4 + y) * 3 + x;
    const out = new Float32Array(2 * 5 * 3).fill(9);
    for (const start of [
      [0, 0, 0],
      [1, -1, 2],
      [-1, 2, 3],
      [2, 0, -2],
      [5, 0, 0],
    ] as [number, number, number][]) {
      cutWindow(voxels, [3, 4, 5], start, [2, 5, 3], out);
      for (let z = 0; z < 3; z++)
        for (let y = 0; y < 5; y++)
          for (let x = 0; x < 2; x++)
            assert.equal(
              out[(z * 5 + y) * 2 + x],
              at(x + start[0], y + start[1], z + start[2]),
              start.join(),
            );
    }
  });
});

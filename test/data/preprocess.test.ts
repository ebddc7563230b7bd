import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cropPad, keptBox } from '../../src/data/preprocess.js';

describe('crop and pad', () => {
  it('pads floor((size - n) / 2) before and crops floor((n - size) / 2) before, axis by axis', () => {
    const voxels = Float32Array.from({ length: 5 * 2 * 1 }, (_, i) => i + 1); // x 5, y 2, z 1
    const out = new Float32Array(2 * 5 * 2);
    cropPad(voxels, [5, 2, 1], [2, 5, 2], out);
    // x: floor(3 / 2) = 1 cropped before; y: floor(3 / 2) = 1 padded before; z: floor(1 / 2) = 0.
    assert.deepEqual([...out], [0, 0, 2, 3, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
  it('knows which part is no padding', () => {
    for (const [from, to] of [
      [
        [5, 2, 1],
        [2, 5, 2],
      ],
      [
        [4, 7, 3],
        [6, 4, 3],
      ],
    ] as const) {
      const out = new Float32Array(to[0] * to[1] * to[2]);
      cropPad(new Float32Array(from[0] * from[1] * from[2]).fill(1), from, to, out);
      const box = keptBox(from, to);
      const inside = (axis: 0 | 1 | 2, i: number): boolean => i >= box.from[axis] && i < box.to[axis];
      for (let i = 0; i < out.length; i++) {
        const [x, y, z] = [i % to[0], Math.floor(i / to[0]) % to[1], Math.floor(i / (to[0] * to[1]))];
        assert.equal(
          out[i],
          Number(inside(0, x) && inside(1, y) && inside(2, z)),
          `${from.join()} to ${to.join()}: ${i}`,
        );
      }
    }
  });
});

// Slope and intercept in double and in single precision.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createVolume } from '../../../src/data/nifti/create.js';
import { type NiftiHeader } from '../../../src/data/nifti/header.js';
import { voxelTypes } from '../../../src/data/nifti/voxel-types.js';
import { type Scaled, decodeVoxels } from '../../../src/data/nifti/voxels.js';

const plain = createVolume({
  voxels: new Float32Array(1),
  size: [1, 1, 1],
  affine: [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
  ],
});

/** Values of a type after slope and intercept. */
function scaled(code: 4 | 8 | 512, slope: number, intercept: number, precision: Scaled) {
  const header: NiftiHeader = { ...plain, type: voxelTypes[code]!, slope, intercept };
  const stored =
    code === 512
      ? Uint16Array.of(0, 1, 777, 40_001, 65_535)
      : (code === 4 ? Int16Array : Int32Array).of(-32_768, -1, 0, 1, 12_345, 32_767);
  const raw = new Uint8Array(stored.buffer.slice(0));
  return { stored, found: decodeVoxels(header, raw, 'a.nii', precision) };
}

describe('slope and intercept', () => {
  for (const [slope, intercept] of [
    [0.37, -1024],
    [2, 2 ** 17],
    [-1e-3, 65.536],
    [1, -0.3],
  ] as const)
    it(`${slope} and ${intercept}: in float32 within 2^-7 of a stored step`, () => {
      for (const code of [4, 512] as const) {
        const { stored, found } = scaled(code, slope, intercept, 'float32');
        assert.ok(found instanceof Float32Array);
        found.forEach((value, i) => {
          const exact = (stored[i] as number) * slope + intercept;
          assert.ok(Math.abs(value - exact) <= Math.abs(slope) * 2 ** -7, `${value} for ${exact}`);
        });
      }
    });
  it('stay in float64 where they must, or where nothing else was asked for', () => {
    const cases = [
      [4, 1e-3, 65.6, 'float32'],
      [8, 0.37, 0, 'float32'],
      [4, 0.37, -1024, 'float64'],
    ] as const;
    for (const [code, slope, intercept, precision] of cases) {
      const { stored, found } = scaled(code, slope, intercept, precision);
      assert.deepEqual(
        found,
        Float64Array.from(stored, (value) => value * slope + intercept),
      );
    }
  });
});

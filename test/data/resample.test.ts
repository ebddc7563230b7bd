import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Affine } from '../../src/data/nifti/affine.js';
import { type Extent } from '../../src/data/preprocess.js';
import {
  type ResamplingKeys,
  resample,
  resampleImage,
  resampleLabel,
  resampledAffine,
  resampledSize,
  resamplingOf,
} from '../../src/data/resample.js';

const folder = new URL('../../../test/data/fixtures/', import.meta.url);
const fixtures = JSON.parse(readFileSync(new URL('resampling.json', folder), 'utf8')) as {
  readonly cases: readonly {
    readonly name: string;
    readonly size: Extent;
    readonly spacing: Extent;
    readonly keys: ResamplingKeys;
    readonly voxels: readonly number[];
    readonly to: Extent;
    readonly expected: readonly number[];
  }[];
  readonly affines: readonly {
    readonly name: string;
    readonly size: Extent;
    readonly to: Extent;
    readonly affine: Affine;
    readonly expected: Affine;
    readonly voxels: readonly number[];
    /** Of SimpleITK, 0 where `inside` is 0. */
    readonly resampled: readonly number[];
    readonly inside: readonly number[];
  }[];
};
const LINEAR = [false, false, false] as const;

const farthest = (found: ArrayLike<number>, expected: ArrayLike<number>): number => {
  assert.equal(found.length, expected.length);
  return Array.from(found).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (expected[i] as number))),
    0,
  );
};

describe('resampling', () => {
  for (const { name, size, spacing, keys, voxels, to, expected } of fixtures.cases)
    it(`agrees with SciPy, scikit-image and nnU-Net's rule: ${name}`, () => {
      const how = resamplingOf(size, spacing, keys);
      assert.deepEqual(how.to, to);
      assert.ok(farthest(resampleImage(Float64Array.from(voxels), how), expected) < 1e-6);
      assert.ok(farthest(resampleImage(Float32Array.from(voxels), how), expected) < 1e-6);
    });
  for (const { name, size, to, affine, expected, voxels, resampled, inside } of fixtures.affines)
    it(`shifts nothing in space, by nibabel and SimpleITK: ${name}`, () => {
      assert.ok(farthest(resampledAffine(affine, size, to).flat(), expected.flat()) < 1e-6);
      const found = resample(Float64Array.from(voxels), size, to, LINEAR);
      assert.ok(
        farthest(
          found.map((value, i) => value * (inside[i] as number)),
          resampled,
        ) < 1e-6,
      );
    });
  it('keeps a volume whose grid stays as it is, without a copy', () => {
    const voxels = Float32Array.of(1, 2, 3);
    const how = resamplingOf([3, 1, 1], [1, 1, 9], {
      spacing: [1, 1, 9],
      antialias: true,
      anisotropic: true,
    });
    assert.equal(resampleImage(voxels, how), voxels);
    assert.deepEqual([...voxels], [1, 2, 3]);
  });
  it('takes the nearest label along all axes, smoothed or not', () => {
    const labels = Uint8Array.from([0, 0, 3, 3, 3, 7]);
    const how = resamplingOf([6, 1, 1], [1, 1, 1], { spacing: [2, 1, 1], antialias: true });
    assert.deepEqual([...resampleLabel(labels, how)], [0, 3, 7]);
  });
  it('keeps the extent and a linear ramp', () => {
    assert.deepEqual(resampledSize([10, 10, 5], [1, 1, 2], [2, 0.5, 1]), [5, 20, 10]);
    const ramp = Float32Array.from({ length: 8 }, (_, i) => i);
    const half = resample(ramp, [8, 1, 1], [4, 1, 1], LINEAR);
    assert.deepEqual([...half], [0.5, 2.5, 4.5, 6.5]);
  });
  it('takes the nearest label and makes up none', () => {
    const labels = Uint8Array.from([0, 0, 3, 3, 1, 1]);
    assert.deepEqual(
      [...resample(labels, [6, 1, 1], [3, 1, 1], [true, true, true])].every((value) =>
        [0, 1, 3].includes(value),
      ),
      true,
    );
    assert.deepEqual(
      [...resample(labels, [6, 1, 1], [12, 1, 1], [true, true, true])],
      [0, 0, 0, 0, 3, 3, 3, 3, 1, 1, 1, 1],
    );
  });
});

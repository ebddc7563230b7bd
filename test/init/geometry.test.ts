import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Extent } from '../../src/data/preprocess.js';
import { gridsAt, levelsFor, patchFor, rounded, targetSpacing, voxelsOf } from '../../src/init/geometry.js';

const at = (size: Extent, spacing: Extent): { size: Extent; spacing: Extent } => ({ size, spacing });

describe('target spacing', () => {
  it('is the median along each axis', () => {
    const cases = [at([9, 9, 9], [1, 2, 0.5]), at([9, 9, 9], [3, 1, 0.7]), at([9, 9, 9], [2, 3, 0.6])];
    assert.deepEqual(targetSpacing(cases), { spacing: [2, 2, 0.6], coarse: undefined });
  });
  it('is the 10th percentile along the axis of thick slices', () => {
    // nnU-Net: np.percentile([2.5, 5, 5, 6, 7.5], 10) = 3.5
    const thick = [2.5, 5, 5, 6, 7.5].map((z) => at([512, 512, 40], [0.7, 0.7, z]));
    assert.deepEqual(targetSpacing(thick), { spacing: [0.7, 0.7, 3.5], coarse: 2 });
    // The same along the first axis.
    const sagittal = [2.5, 5, 5, 6, 7.5].map((x) => at([40, 512, 512], [x, 0.7, 0.7]));
    assert.deepEqual(targetSpacing(sagittal), { spacing: [3.5, 0.7, 0.7], coarse: 0 });
  });
  it('stays the median if there are many slices, or slices are not so thick', () => {
    const many = [2.5, 5, 5, 6, 7.5].map((z) => at([512, 512, 200], [0.7, 0.7, z]));
    assert.deepEqual(targetSpacing(many), { spacing: [0.7, 0.7, 5], coarse: undefined });
    const thin = [1, 2, 2, 2, 3].map((z) => at([512, 512, 40], [0.7, 0.7, z]));
    assert.deepEqual(targetSpacing(thin), { spacing: [0.7, 0.7, 2], coarse: undefined });
  });
  it('is never finer along thick slices than along the other axes', () => {
    const mixed = [0.3, 0.3, 6, 6, 6].map((z) => at([512, 512, 30], [1, 1, z]));
    assert.deepEqual(targetSpacing(mixed).spacing, [1, 1, 1]);
  });
  it('leaves the sizes of volumes that have it as float32', () => {
    const cases = [at([512, 512, 301], [Math.fround(0.7812345), Math.fround(0.8), Math.fround(1.2499999)])];
    assert.deepEqual(gridsAt(cases, targetSpacing(cases).spacing), [[512, 512, 301]]);
  });
});

describe('levels', () => {
  it('leave at least four voxels along each axis, and are two to five', () => {
    for (const [window, levels] of [
      [[96, 96, 96], 5],
      [[512, 512, 64], 5],
      [[43, 59, 47], 4],
      [[31, 64, 64], 3],
      [[32, 64, 64], 4],
      [[5, 64, 64], 2],
    ] as const)
      assert.equal(levelsFor(window), levels, window.join());
    assert.deepEqual(rounded([43, 64, 41], 4), [48, 64, 48]);
  });
});

describe('patches', () => {
  const budget = 96 ** 3;
  const medians: Extent[] = [
    [300, 300, 300],
    [512, 512, 40],
    [512, 512, 130],
    [140, 60, 200],
    [50, 500, 20],
  ];
  const spacings: Extent[] = [
    [1, 1, 1],
    [0.7, 0.7, 5],
    [0.8, 0.8, 1.5],
    [3, 1, 1],
  ];
  it('are cubes in mm if volumes are large enough', () => {
    assert.deepEqual(patchFor([1, 1, 1], [300, 300, 300], budget), { patch: [96, 96, 96], levels: 5 });
    const { patch } = patchFor([0.8, 0.8, 1.6], [400, 400, 400], budget);
    // The cube root of 96^3 x 0.8 x 0.8 x 1.6 is 96.8 mm: 121 x 121 x 60.5 voxels, 4 levels.
    assert.deepEqual(patch, [120, 120, 64]);
  });
  it('take the whole of short axes and give the rest to the others', () => {
    const { patch, levels } = patchFor([0.7, 0.7, 5], [512, 512, 16], budget);
    assert.equal(levels, 3);
    assert.deepEqual(patch, [236, 236, 16]);
  });
  it('keep to the budget, can be halved, and are hardly longer than volumes', () => {
    for (const median of medians)
      for (const spacing of spacings) {
        const { patch, levels } = patchFor(spacing, median, budget);
        const multiple = 2 ** (levels - 1);
        const what = `${median.join()} ${spacing.join()}: ${patch.join()}`;
        assert.ok(voxelsOf(patch) <= 1.35 * budget, what);
        for (const [axis, voxels] of patch.entries()) {
          assert.equal(voxels % multiple, 0, what);
          assert.ok(voxels < (median[axis] as number) + multiple, what);
          assert.ok(levels === 2 || voxels / multiple >= 3.5, what);
        }
        // What is left of the budget is left by axes that are as long as the volume.
        const short = patch.some((voxels, axis) => voxels + multiple / 2 < (median[axis] as number));
        if (short) assert.ok(voxelsOf(patch) >= 0.7 * budget, what);
      }
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Extent } from '../../src/data/preprocess.js';
import { gridsAt, levelsFor, rounded, targetSpacing } from '../../src/init/geometry.js';

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

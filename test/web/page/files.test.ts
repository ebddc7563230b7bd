import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UserError } from '../../../src/errors.js';
import { labelMapName, orderFiles } from '../../../src/web/page/files.js';
import { greyWindow, greys } from '../../../src/web/page/grey.js';

describe('files of several channels', () => {
  it("are ordered by nnU-Net's numbers", () => {
    assert.deepEqual(orderFiles(['a_0001.nii.gz', 'a_0000.nii.gz'], ['T1', 'T2']), [
      'a_0000.nii.gz',
      'a_0001.nii.gz',
    ]);
  });
  it('are ordered by the names of the channels', () => {
    assert.deepEqual(orderFiles(['9_flair.nii', '9_t1.nii'], ['T1', 'FLAIR']), ['9_t1.nii', '9_flair.nii']);
  });
  it('are ordered by their own names where nothing else tells', () => {
    assert.deepEqual(orderFiles(['b.nii', 'a.nii'], ['T1', 'T2']), ['a.nii', 'b.nii']);
    // T1 is in both names.
    assert.deepEqual(orderFiles(['t1ce.nii', 't1.nii'], ['T1', 'T1ce']), ['t1.nii', 't1ce.nii']);
  });
  it('may be one file', () => {
    assert.deepEqual(orderFiles(['a.nii'], ['T1', 'T2']), ['a.nii']);
  });
  it('are refused where there are too many or too few', () => {
    const refused = (message: RegExp) => (error: unknown) =>
      error instanceof UserError && error.kind === 'data' && message.test(error.message);
    assert.throws(
      () => orderFiles(['a.nii', 'b.nii'], ['MRI']),
      refused(/found 2 files.*one scan at a time/),
    );
    assert.throws(() => orderFiles(['a', 'b', 'c'], ['T1', 'T2']), refused(/found 3 files.*T1, T2/));
  });
});

describe('names of label maps', () => {
  it("are the scans' as `lunet predict` has them", () => {
    assert.equal(labelMapName('hippocampus_011.nii.gz', 1), 'hippocampus_011.nii.gz');
    assert.equal(labelMapName('case_0000.nii.gz', 1), 'case.nii.gz');
    assert.equal(labelMapName('case_0003.nii.gz', 1), 'case_0003.nii.gz');
    assert.equal(labelMapName('case_0000.nii', 2), 'case.nii');
    assert.equal(labelMapName('case.hdr', 1), 'case.nii.gz');
    assert.equal(labelMapName('Scan.NII', 1), 'Scan.nii');
  });
});

describe('greys', () => {
  it('go from the lower to the upper limit and stop there', () => {
    assert.deepEqual(
      [...greys(Float32Array.of(-5, 0, 40, 100, 500, NaN), [0, 100])],
      [0, 0, 102, 255, 255, 0],
    );
    assert.deepEqual([...greys(Float32Array.of(3, 3), [3, 3])], [0, 0]);
  });
  it('are not darkened by a few bright voxels, nor by what is not finite', () => {
    const voxels = Float32Array.from({ length: 1001 }, (_, i) => i);
    voxels[1000] = 1e9;
    voxels[0] = NaN;
    const [black, white] = greyWindow(voxels);
    assert.ok(black >= 4 && black <= 8 && white >= 993 && white <= 997, `${black} ${white}`);
  });
});

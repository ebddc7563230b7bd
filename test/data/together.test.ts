import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Volume, decodeNifti } from '../../src/data/nifti/decode.js';
import { UserError } from '../../src/errors.js';
import { alongside } from '../../src/data/together.js';
import { type VolumeOptions, volumeBytes } from './volumes.js';

const unused = (): Promise<never> => Promise.reject(new Error('unused'));
const volume = (options: VolumeOptions): Promise<Volume> =>
  decodeNifti(volumeBytes(options), {
    file: 'a.nii',
    inflater: { start: unused, all: unused },
    room: () => undefined,
    image: unused,
  });

describe('a volume in another orientation than the first', () => {
  // Two voxels along x to the right, three along y to the front.
  const first = { size: [2, 3, 1], sform: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]] } as const; // prettier-ignore
  // The same space: three voxels along x to the back, two along y to the right.
  const second = {
    size: [3, 2, 1],
    voxels: [5, 3, 1, 6, 4, 2],
    sform: [[0, 1, 0, 0], [-1, 0, 0, 2], [0, 0, 1, 0]],
  } as const; // prettier-ignore

  it('is laid along it', async () => {
    const laid = alongside(await volume(second), 'b.nii', await volume(first), () => undefined);
    assert.deepEqual([...laid.voxels], [1, 2, 3, 4, 5, 6]);
    assert.deepEqual([laid.size, laid.affine], [[2, 3, 1], (await volume(first)).affine]);
  });
  it('stays as it is if it lies elsewhere', async () => {
    const elsewhere = await volume({ ...second, sform: [[0, 1, 0, 1], [-1, 0, 0, 2], [0, 0, 1, 0]] }); // prettier-ignore
    assert.equal(
      alongside(elsewhere, 'b.nii', await volume(first), () => undefined),
      elsewhere,
    );
  });
  it('needs memory for a copy', async () => {
    const given = await volume(second);
    const refuse = ({ what }: { what: string }): never => {
      throw new UserError('data', what);
    };
    const like = await volume(first);
    assert.throws(() => alongside(given, 'b.nii', like, refuse), /b\.nii: 3 x 2 x 1 voxels, turned to the orientation of the first image/); // prettier-ignore
  });
});

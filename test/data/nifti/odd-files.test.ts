// Files whose header gives another unit of length than mm, and files that cannot be read.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { UserError } from '../../../src/errors.js';
import { readNifti } from '../../../src/data/nifti/read.js';
import { roomWithin } from '../../../src/data/room.js';
import { type VolumeOptions, scaling, volumeBytes } from '../volumes.js';

const folder = mkdtempSync(join(tmpdir(), 'lunet-nifti-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(bytes: Uint8Array, ending = '.nii'): string {
  const path = join(folder, `${files++}${ending}`);
  writeFileSync(path, bytes);
  return path;
}

const read = (options: VolumeOptions) => readNifti(file(volumeBytes(options)));

async function complaint(path: string, share?: number): Promise<string> {
  try {
    await readNifti(path, roomWithin(share));
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.kind, 'data');
    assert.ok(error.message.startsWith(`${path}: `), error.message);
    return error.message.slice(path.length + 2);
  }
  return 'accepted';
}

describe('the unit of length', () => {
  const stored = [
    [0, 2, 0, 10],
    [-3, 0, 0, 20],
    [0, 0, 4, -30],
  ];
  for (const version of [1, 2] as const)
    for (const [units, inMm] of [
      [0, 1],
      [1, 1000],
      [2, 1],
      [3, 0.001],
      [3 + 16, 0.001], // with milliseconds as the unit of time
      [2 + 8, 1],
    ] as const)
      it(`${units} of a NIfTI-${version} is ${inMm} mm, for sform, qform and spacing alone`, async () => {
        const sform = await read({ version, units, sform: stored });
        assert.deepEqual(
          sform.affine,
          stored.map((row) => row.map((value) => inMm * value)),
        );
        assert.deepEqual(sform.spacing, [3 * inMm, 2 * inMm, 4 * inMm]);
        const qform = await read({ version, units, qoffset: [1, 2, 3], pixdim: [2, 3, 4] });
        assert.deepEqual(qform.spacing, [2 * inMm, 3 * inMm, 4 * inMm]);
        assert.deepEqual(
          qform.affine.map((row) => row[3]),
          [inMm, 2 * inMm, 3 * inMm],
        );
        const alone = await read({ version, units, pixdim: [2, 3, 4] });
        assert.deepEqual(alone.spacing, [2 * inMm, 3 * inMm, 4 * inMm]);
        for (const { warnings } of [sform, qform, alone]) assert.deepEqual(warnings, []);
      });
  it('that NIfTI does not know is taken as mm with a warning', async () => {
    for (const units of [4, 5, 6, 7]) {
      const { spacing, warnings } = await read({ units, pixdim: [2, 3, 4] });
      assert.deepEqual(spacing, [2, 3, 4]);
      assert.deepEqual(warnings, [`xyzt_units has no unit of length ${units}; taken as mm`]);
    }
  });
  it('counts where sform and qform are compared: 0.5 um apart is together, 0.5 m is not', async () => {
    const sform = scaling([1, 1, 1]);
    const both = { sform, qoffset: [0.5, 0, 0] as const };
    assert.deepEqual((await read({ ...both, units: 3 })).warnings, []);
    assert.deepEqual((await read({ ...both, units: 1 })).warnings, [
      'sform and qform differ; the sform counts',
    ]);
  });
});

describe('files that cannot be read', () => {
  it('say why in words', async () => {
    assert.equal(await complaint(join(folder, 'absent.nii')), 'cannot be read: no such file or folder');
    mkdirSync(join(folder, 'folder.nii'));
    assert.equal(await complaint(join(folder, 'folder.nii')), 'cannot be read: it is not a regular file');
    writeFileSync(join(folder, 'file'), '');
    assert.equal(
      await complaint(join(folder, 'file', 'a.nii')),
      'cannot be read: a part of the path is a file, not a folder',
    );
  });
  it('say where gzip data end early, or are damaged', async () => {
    const packed = gzipSync(
      volumeBytes({ size: [20, 20, 20], voxels: Array.from({ length: 8000 }, (_, i) => (i * 7919) % 251) }),
    );
    assert.match(
      await complaint(file(packed.subarray(0, 200), '.nii.gz')),
      /^the gzip stream is damaged or truncated/,
    );
    assert.match(
      await complaint(file(packed.subarray(0, -4), '.nii.gz')),
      /^the gzip stream is damaged or truncated/,
    );
    const flipped = Buffer.from(packed);
    flipped[packed.length - 6] = (flipped[packed.length - 6] as number) ^ 1; // of the checksum
    assert.match(await complaint(file(flipped, '.nii.gz')), /^the gzip stream is damaged or truncated/);
    assert.match(
      await complaint(file(Buffer.concat([packed, Buffer.from('x')]), '.nii.gz')),
      /^the gzip stream is damaged/,
    );
    assert.equal(await complaint(file(Buffer.concat([packed, Buffer.alloc(512)]), '.nii.gz')), 'accepted');
  });
  it('say when memory does not suffice, before it is taken', async () => {
    const large = volumeBytes({ size: [100, 100, 100], sform: scaling([0.7, 0.7, 2.5]), type: 'int16' });
    for (const path of [file(gzipSync(large), '.nii.gz'), file(large)])
      assert.match(
        await complaint(path, 2_500_000),
        /^dim: 100 x 100 x 100 int16 voxels of 0\.7 x 0\.7 x 2\.5 mm need about 0\.0 GiB of memory, 0\.0 GiB are free; close/,
      );
    assert.match(await complaint(file(large), 1000), /^its 2000352 bytes need about 0\.0 GiB of memory/);
    assert.equal(await complaint(file(large), 50_000_000), 'accepted');
  });
});

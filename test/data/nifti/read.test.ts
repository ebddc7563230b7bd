// The reader against nibabel: voxels of every type, either byte order and version, all 48 ways in which axes can lie, oblique
// scans, scaled integers, several channels. The stored numbers are nibabel's (fixtures/make_nibabel.py).

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { readNifti } from '../../../src/data/nifti/read.js';

interface Stored {
  readonly name: string;
  /** The file, gzip-compressed, in base64. */
  readonly gzip: string;
  readonly shape: readonly number[];
  readonly affine: readonly (readonly number[])[];
  /** In the order of the file: the first axis is the fastest. */
  readonly voxels: readonly number[];
}

const FIXTURE = fileURLToPath(new URL('../../../../test/data/nifti/fixtures/nibabel.json', import.meta.url));
const stored = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Stored[];
const folder = mkdtempSync(join(tmpdir(), 'lunet-'));

describe('a volume is read as nibabel reads it', () => {
  it('of which there are all that the generator makes', () => {
    assert.equal(stored.length, 40 + 48 + 6 + 3);
  });
  for (const [index, { name, gzip, shape, affine, voxels }] of stored.entries())
    it(name, async () => {
      const bytes = Buffer.from(gzip, 'base64');
      for (const [file, content] of [
        [`${index}.nii.gz`, bytes],
        [`${index}.nii`, gunzipSync(bytes)],
      ] as const) {
        const path = join(folder, file);
        writeFileSync(path, content);
        const volume = await readNifti(path);
        const [x = 1, y = 1, z = 1, channels = 1] = shape;
        assert.deepEqual([...volume.size, volume.channels], [x, y, z, channels]);
        assert.deepEqual([...volume.voxels], voxels);
        for (const [row, expected] of affine.slice(0, 3).entries())
          for (const [column, value] of expected.entries()) {
            const found = volume.affine[row]?.[column] as number;
            assert.ok(
              Math.abs(found - value) <= 1e-5 * Math.max(1, Math.abs(value)),
              `${found}, not ${value}`,
            );
          }
        for (const axis of [0, 1, 2]) {
          const length = Math.hypot(...[0, 1, 2].map((row) => affine[row]?.[axis] as number));
          assert.ok(Math.abs((volume.spacing[axis] as number) - length) <= 1e-5 * length);
        }
      }
    });
});

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readNifti } from '../../../src/data/nifti/read.js';
import { openVoxels } from '../../../src/data/nifti/stream.js';
import { UserError } from '../../../src/errors.js';
import { emptyFolder } from '../../cli/lunet.js';
import { type Triple, volumeBytes, writeVolume } from '../volumes.js';

const folder = emptyFolder();
after(() => rmSync(folder, { recursive: true }));

/** All voxels, read in pieces of `count`, and the warnings. */
async function readPieces(file: string, count: number): Promise<{ voxels: number[]; warnings: string[] }> {
  const stream = await openVoxels(file);
  const voxels: number[] = [];
  for (;;) {
    const piece = await stream.read(count);
    if (piece.length === 0) break;
    voxels.push(...piece);
  }
  return { voxels, warnings: await stream.end() };
}

const size: Triple = [7, 5, 3];
const ramp = Array.from({ length: 105 }, (_, i) => (i * 37) % 251);

describe('voxels read piece by piece', () => {
  for (const [name, options] of [
    ['a.nii', { type: 'int16' }],
    ['b.nii.gz', { type: 'uint8', slope: 0.5 }],
    ['c.nii.gz', { type: 'float32', version: 2 }],
  ] as const)
    it(`are those read at once: ${name}`, async () => {
      const file = join(folder, name);
      writeVolume(file, { ...options, size, voxels: ramp });
      const whole = await readNifti(file);
      for (const count of [1, 13, 105, 1000])
        assert.deepEqual(await readPieces(file, count), {
          voxels: [...whole.voxels],
          warnings: whole.warnings,
        });
    });

  it('of a pair of files', async () => {
    const bytes = volumeBytes({ size, voxels: ramp, type: 'int16' });
    bytes.write('ni1\0', 344, 'latin1');
    bytes.writeFloatLE(0, 108);
    writeFileSync(join(folder, 'pair.hdr'), bytes.subarray(0, 348));
    writeFileSync(join(folder, 'pair.img'), bytes.subarray(352));
    assert.deepEqual((await readPieces(join(folder, 'pair.hdr'), 10)).voxels, ramp);
  });

  it('of bad files have the errors and warnings of reading at once', async () => {
    const good = volumeBytes({ size, voxels: ramp, type: 'int16' });
    const bad: Record<string, Uint8Array> = {
      'short.nii': good.subarray(0, 400),
      'short.nii.gz': gzipSync(good.subarray(0, 400)),
      'cut.nii.gz': gzipSync(good).subarray(0, 200),
      'header.nii': good.subarray(0, 100),
      'empty.nii': new Uint8Array(),
      'text.nii': Buffer.alloc(400, 'text'),
      'more.nii': Buffer.concat([good, Buffer.alloc(50)]),
      'much.nii.gz': gzipSync(Buffer.concat([good, Buffer.alloc(100_000)])),
      'plain.nii.gz': good,
    };
    for (const [name, bytes] of Object.entries(bad)) {
      const file = join(folder, name);
      writeFileSync(file, bytes);
      const found = async (read: () => Promise<{ warnings: readonly string[] }>): Promise<string[]> =>
        read().then(
          ({ warnings }) => [...warnings],
          (error: unknown) => {
            assert.ok(error instanceof UserError, `${name}: ${String(error)}`);
            return [error.kind, error.message];
          },
        );
      const [pieces, whole] = [await found(() => readPieces(file, 10)), await found(() => readNifti(file))];
      // Reading at once knows beforehand that so few compressed bytes cannot hold the voxels.
      assert.deepEqual(pieces, whole, name);
      assert.notDeepEqual(pieces, [], name);
    }
    const absent = join(folder, 'absent.nii');
    await assert.rejects(openVoxels(absent), UserError);
    await assert.rejects(openVoxels(folder), /it is not a regular file/);
  });
});

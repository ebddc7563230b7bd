// Boxes of volumes, from memory and from files, against a voxel-by-voxel copy.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type PreparedCase } from '../../../src/data/case.js';
import { type Extent } from '../../../src/data/preprocess.js';
import { type CaseFile, openCaseFile, writeCaseFile } from '../../../src/data/store/case-file.js';
import { readRegion, readWhole, regionOf } from '../../../src/data/store/region.js';
import { type Sample } from '../../../src/engine/engine.js';
import { sha256 } from '../../../src/sha256.js';

const folder = mkdtempSync(join(tmpdir(), 'lunet-region-'));
after(() => rmSync(folder, { recursive: true }));

const grid: Extent = [5, 7, 3];
const voxels = 5 * 7 * 3;
const bytes = new ArrayBuffer(9 * voxels);
const sample: Sample = {
  image: new Float32Array(bytes, 0, 2 * voxels),
  label: new Uint8Array(bytes, 8 * voxels),
};
sample.image.forEach((_, i) => (sample.image[i] = i + 0.25));
sample.label.forEach((_, i) => (sample.label[i] = 1 + (i % 200)));

async function stored(): Promise<CaseFile> {
  const facts = { id: 'case', channels: 2, grid, digest: sha256(new Uint8Array(bytes)) };
  const path = join(folder, 'case');
  await writeCaseFile(path, { ...facts, bytes } as PreparedCase, [Uint32Array.of(3, 9), Uint32Array.of()]);
  const file = await openCaseFile(path);
  assert.ok(file);
  return file;
}

function expected(start: Extent, size: Extent): { image: number[]; label: number[] } {
  const [image, label]: [number[], number[]] = [[], []];
  for (let c = 0; c < 2; c++)
    for (let z = 0; z < size[2]; z++)
      for (let y = 0; y < size[1]; y++)
        for (let x = 0; x < size[0]; x++) {
          const at = [x + start[0], y + start[1], z + start[2]] as const;
          const inside = at.every((i, axis) => i >= 0 && i < (grid[axis] as number));
          const from = (at[2] * grid[1] + at[1]) * grid[0] + at[0];
          image.push(inside ? (sample.image[c * voxels + from] as number) : 0);
          if (c === 0) label.push(inside ? (sample.label[from] as number) : 0);
        }
  return { image, label };
}

describe('a box of a volume', () => {
  it('has its voxels, and zeros outside', async () => {
    const file = await stored();
    const boxes: [Extent, Extent][] = [
      [[0, 0, 0], grid],
      [[1, 2, 1], [3, 4, 2]],
      [[-2, -1, -1], [4, 4, 2]],
      [[3, 5, 2], [4, 4, 4]],
      [[-1, -2, -3], [8, 11, 9]],
      [[4, 6, 2], [1, 1, 1]],
      [[5, 0, 0], [2, 2, 2]],
      [[-9, 0, 0], [2, 7, 3]],
    ]; // prettier-ignore
    for (const [start, size] of boxes)
      for (const box of [regionOf(sample, grid, start, size), await readRegion(file, start, size)]) {
        const { image, label } = expected(start, size);
        assert.deepEqual([...box.image], image, `image at ${start.join()} of ${size.join()}`);
        assert.deepEqual([...box.label], label, `label at ${start.join()} of ${size.join()}`);
      }
  });
  it('is the whole case where all of it is read, with its positions of foreground', async () => {
    const file = await stored();
    assert.deepEqual(await readWhole(file), sample);
    assert.deepEqual(file.positions.map((positions) => [...positions]), [[3, 9], []]); // prettier-ignore
  });
});

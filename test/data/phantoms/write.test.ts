import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { axisCodes } from '../../../src/data/nifti/affine.js';
import { readNifti } from '../../../src/data/nifti/read.js';
import { generatePhantom } from '../../../src/data/phantoms/index.js';
import { type PhantomSet, writePhantoms } from '../../../src/data/phantoms/write.js';
import { type Extent } from '../../../src/data/preprocess.js';
import { UserError } from '../../../src/errors.js';
import { emptyFolder } from '../../cli/lunet.js';

const folder = emptyFolder();
after(() => rmSync(folder, { recursive: true }));

const PLAIN = {
  kind: 'hippocampus',
  cases: 2,
  size: [20, 24, 18],
  spacings: [[1, 1, 1]],
  orientations: ['RAS'],
  jitter: 0,
  seed: 3,
  force: false,
} as const;

async function write(name: string, change: Partial<PhantomSet>): Promise<string> {
  const out = join(folder, name);
  await writePhantoms({ ...PLAIN, ...change, out });
  return out;
}

const fileOf = (root: string, part: string, index: number): string =>
  join(root, part, `phantom_00${index + 1}.nii.gz`);

/** The label at each mm right, anterior, superior, and the header, of a volume whose affine is a scaled permutation. */
async function labelsInSpace(root: string, index: number) {
  const volume = await readNifti(fileOf(root, 'labelsTr', index));
  const [nx, ny, nz] = volume.size;
  const labels = new Map<string, number>();
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++) {
        const place = volume.affine.map(([a = 0, b = 0, c = 0, d = 0]) =>
          Math.round(a * i + b * j + c * k + d),
        );
        labels.set(place.join(), volume.voxels[(k * ny + j) * nx + i] as number);
      }
  return { volume, labels };
}

describe('phantoms on disk', () => {
  it('are those in memory, and the same bytes each time', async () => {
    const size: Extent = [16, 16, 16];
    const [one, two] = [
      await write('one', { size, spacings: [] }),
      await write('two', { size, spacings: [] }),
    ];
    for (const index of [0, 1]) {
      const made = generatePhantom({ kind: 'hippocampus', size: 16, seed: 3, index });
      const image = await readNifti(fileOf(one, 'imagesTr', index));
      assert.deepEqual(Float32Array.from(image.voxels), made.image);
      assert.deepEqual(image.spacing, made.spacing);
      for (const part of ['imagesTr', 'labelsTr'])
        assert.deepEqual(readFileSync(fileOf(one, part, index)), readFileSync(fileOf(two, part, index)));
    }
  });

  it('lie in the same place in every orientation', async () => {
    const plain = await labelsInSpace(await write('plain', {}), 0);
    assert.equal(new Set(plain.labels.values()).size, 3);
    for (const [i, codes] of ['LPS', 'PIR', 'SAL', 'ILP'].entries()) {
      const root = await write(`oriented-${i}`, { orientations: [codes], spacings: [[1, 1, 1]] });
      const { volume, labels } = await labelsInSpace(root, 0);
      assert.equal(axisCodes(volume.affine), codes);
      assert.deepEqual(new Map([...labels].sort()), new Map([...plain.labels].sort()));
    }
  });

  it('take spacings and orientations in turn, at the same extent in mm', async () => {
    const spacings: Extent[] = [
      [1, 1, 1],
      [0.5, 1, 3],
    ];
    const root = await write('mixed', { cases: 4, spacings, orientations: ['RAS', 'PIR'] });
    const found = await Promise.all([0, 1, 2, 3].map((i) => readNifti(fileOf(root, 'imagesTr', i))));
    assert.deepEqual(
      found.map(({ affine, size, spacing }) => [axisCodes(affine), size.join(), spacing.join()]),
      [
        ['RAS', '20,24,18', '1,1,1'],
        ['RAS', '40,24,6', '0.5,1,3'],
        ['PIR', '24,18,20', '1,1,1'],
        ['PIR', '24,6,40', '1,3,0.5'],
      ],
    );
  });

  it('show parts of a phantom in different fields of view', async () => {
    const whole = await labelsInSpace(await write('whole', {}), 1);
    const root = await write('parts', { jitter: 0.4, orientations: ['LSP'], cases: 6 });
    const part = await labelsInSpace(root, 1);
    for (const [place, label] of part.labels) assert.equal(label, whole.labels.get(place), place);
    const sizes = await Promise.all(
      [0, 1, 2, 3, 4, 5].map(async (i) => (await readNifti(fileOf(root, 'imagesTr', i))).size),
    );
    assert.ok(new Set(sizes.map(String)).size > 3);
    for (const [x, z, y] of sizes)
      assert.ok(x >= 12 && x <= 20 && y >= 14.4 && y <= 24 && z >= 10.8 && z <= 18);
  });

  it('of too many voxels are refused', async () => {
    const spacings: Extent[] = [
      [100, 100, 100],
      [0.5, 0.5, 0.5],
    ];
    await assert.rejects(
      write('large', { spacings }),
      (error) =>
        error instanceof UserError &&
        error.kind === 'usage' &&
        error.message.includes('become 4000 x 4800 x 3600 voxels, expected at most 134217728 in all'),
    );
  });
});

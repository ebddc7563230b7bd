// `lunet` as a library for Node.js: the example of docs/library.md as it stands there, and what the command line does.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readNifti as readFile } from '../../src/data/nifti/read.js';
import { writeNifti as writeFile } from '../../src/data/nifti/write.js';
import { generatePhantom } from '../../src/data/phantoms/index.js';
import {
  type Volume,
  UserError,
  createVolume,
  measure,
  openModel,
  readNifti,
  writeNifti,
} from '../../src/library/index.js';
import { emptyFolder, lunet, plainEnvironment, projectWithLunet } from '../cli/lunet.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const model = join(root, 'models/hippocampus.safetensors');
const phantom = generatePhantom({ kind: 'hippocampus', size: 32, seed: 1, index: 0 });

async function writePhantom(folder: string): Promise<string> {
  const file = join(folder, 'scan.nii.gz');
  const { size, spacing, image } = phantom;
  await writeFile(file, { size, spacing, voxels: Float32Array.from(image) });
  return file;
}

/** A matrix with axes to the left, the back, and upwards. */
const LPS = [
  [-2, 0, 0, 30],
  [0, -2, 0, 40],
  [0, 0, 2, -10],
];

describe('lunet', () => {
  it('runs the example of docs/library.md, with the bytes of lunet predict', async () => {
    const text = readFileSync(join(root, 'docs/library.md'), 'utf8');
    const example = /```js\n(import [^`]*? 'lunet';[^]*?)```/.exec(text)?.[1] as string;
    const cwd = projectWithLunet();
    await writePhantom(cwd);
    writeFileSync(join(cwd, 'example.mjs'), example);
    const ran = spawnSync(process.execPath, ['example.mjs'], {
      cwd,
      encoding: 'utf8',
      env: plainEnvironment(),
    });
    assert.equal(ran.status, 0, ran.stderr);
    const predicted = lunet(['predict', 'hippocampus', '-i', 'scan.nii.gz', '-o', 'predicted.nii.gz'], {
      cwd,
    });
    assert.equal(predicted.status, 0, predicted.stderr);
    assert.deepEqual(
      readFileSync(join(cwd, 'segmentation.nii.gz')),
      readFileSync(join(cwd, 'predicted.nii.gz')),
    );
    const [, anterior, posterior] =
      /^anterior: (\d\.\d\d) ml\nposterior: (\d\.\d\d) ml\n$/.exec(ran.stdout) ?? [];
    assert.ok(anterior !== undefined && Number(posterior) > 0, ran.stdout);
  });

  it('finds the same in voxels from elsewhere as in their file, on every engine, also as an ensemble', async () => {
    const read = async (): Promise<Volume> => readNifti(await writePhantom(emptyFolder()));
    const given = (): Volume =>
      createVolume({
        voxels: Float32Array.from(phantom.image),
        size: phantom.size,
        affine: [
          [phantom.spacing[0], 0, 0, 0],
          [0, phantom.spacing[1], 0, 0],
          [0, 0, phantom.spacing[2], 0],
        ],
      });
    const native = await openModel(model, { threads: 1 });
    const fromFile = await native.segment(await read(), { probabilities: true });
    const fromArray = await native.segment([given()]);
    native.dispose();
    assert.deepEqual(fromArray.labels, fromFile.labels);
    assert.equal(fromArray.probabilities, undefined);
    assert.equal(fromFile.probabilities?.length, 2 * 32 ** 3);
    fromFile.labels.forEach((value, i) => {
      const [p, q] = [0, 1].map((k) => fromFile.probabilities?.[k * 32 ** 3 + i] as number) as [
        number,
        number,
      ];
      // In 255ths 127 and 128 are 0.5 rounded.
      if (value === 0) assert.ok(Math.max(p, q) <= 128);
      else assert.ok(Math.max(p, q) >= 127 && (value === 1 ? p >= q : q >= p));
    });
    const wasm = await openModel([model, 'hippocampus'], { engine: 'wasm' });
    const other = await wasm.segment(given());
    wasm.dispose();
    // On other instruction sets the last bits differ.
    const unlike = fromFile.labels.filter((value, i) => value !== other.labels[i]).length;
    assert.ok(unlike <= 3, `${unlike} voxels`);
  });

  it('writes what it made where the volume lies, whole, and refuses other sizes', async () => {
    const volume = createVolume({ voxels: new Int16Array(24), size: [4, 3, 2], affine: LPS });
    assert.deepEqual(volume.affine, LPS);
    assert.deepEqual(volume.spacing, [2, 2, 2]);
    const file = join(emptyFolder(), 'new/labels.nii');
    const labels = new Uint16Array(24).fill(300, 5, 9);
    await writeNifti(file, labels, volume);
    const back = await readFile(file);
    assert.deepEqual(Uint16Array.from(back.voxels), labels);
    assert.deepEqual([back.affine, back.size, back.warnings], [LPS, [4, 3, 2], []]);
    const short = join(emptyFolder(), 'short.nii');
    await assert.rejects(
      writeNifti(short, new Uint8Array(23), volume),
      /labels: found 23, expected 4 x 3 x 2 = 24/,
    );
    assert.ok(!existsSync(short));
  });

  it('refuses what cannot be meant, in a sentence of a kind', async () => {
    const refused = (kind: string, text: RegExp) => (error: unknown) =>
      error instanceof UserError && error.kind === kind && text.test(error.message);
    await assert.rejects(openModel('nothing'), refused('usage', /^nothing: no such file/));
    await assert.rejects(openModel([]), refused('usage', /found no model/));
    await assert.rejects(openModel(model, { engine: 'steam' }), refused('usage', /steam/));
    await assert.rejects(readNifti('none.nii'), refused('data', /^none\.nii: cannot be read/));
    const create = (change: object) => () =>
      createVolume({ voxels: new Float32Array(8), size: [2, 2, 2], affine: LPS, ...change });
    assert.throws(create({ size: [2, 2, 3] }), refused('data', /voxels: found 8, expected 2 x 2 x 3 = 12/));
    assert.throws(create({ size: [40_000, 1, 1] }), refused('data', /size: found 40000 x 1 x 1/));
    assert.throws(create({ affine: [LPS[0], LPS[0], LPS[2]] }), refused('data', /singular/));
    assert.throws(create({ affine: LPS.slice(1) }), refused('data', /affine: expected three rows/));
  });

  it('measures two masks', () => {
    const [a, b] = [new Uint8Array(24), new Uint8Array(24)];
    a.fill(1, 4, 8);
    b.fill(1, 4, 7);
    const { dice } = measure(a, b, { size: [4, 3, 2], spacing: [2, 1, 1] });
    assert.ok(Math.abs(dice - 6 / 7) < 1e-12);
  });
});

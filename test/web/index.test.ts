// `lunet/web` as it is shipped, bundled for browsers, in Node.js: the example of docs/library.md, and what it refuses.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { readNifti as readFile } from '../../src/data/nifti/read.js';
import { writeNifti as writeFile } from '../../src/data/nifti/write.js';
import { generatePhantom } from '../../src/data/phantoms/index.js';
import type * as Web from '../../src/web/index.js';
import { emptyFolder, projectWithLunet } from '../cli/lunet.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const bundle = join(root, 'dist/web/index.js');
const { measure, openModel, readNifti, writeNifti } = (await import(
  pathToFileURL(bundle).href
)) as typeof Web;
const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(path));
const model = bytesOf(join(root, 'models/hippocampus.safetensors'));
const engine = bytesOf(join(root, 'dist/src/engine/wasm/lunet.wasm'));

async function phantom(): Promise<string> {
  const file = join(emptyFolder(), 'phantom.nii.gz');
  const { size, spacing, image } = generatePhantom({ kind: 'hippocampus', size: 32, seed: 1, index: 0 });
  await writeFile(file, { size, spacing, voxels: Float32Array.from(image) });
  return file;
}

describe('lunet/web', () => {
  it('needs nothing of Node.js and no other package', () => {
    assert.doesNotMatch(readFileSync(bundle, 'utf8'), /^import |require\(|\bBuffer\./m);
  });
  it('reads what Node.js reads', async () => {
    const file = await phantom();
    const plain = ({ head, type, ...volume }: Web.Volume) => ({
      head: [...head],
      type: type.name,
      ...volume,
    });
    assert.deepEqual(plain(await readNifti(bytesOf(file), file)), plain(await readFile(file)));
  });
  it('runs the example of docs/library.md', async () => {
    const text = readFileSync(join(root, 'docs/library.md'), 'utf8');
    const example = /```js\n(import [^`]* 'lunet\/web'[^`]*)```/.exec(text)?.[1] as string;
    const module = join(projectWithLunet(), 'example.mjs');
    writeFileSync(module, example);
    const { segment } = (await import(module)) as {
      segment: (
        model: Uint8Array,
        engine: Uint8Array,
        scan: File,
      ) => Promise<{ findings: readonly Web.Finding[]; file: Uint8Array }>;
    };
    const path = await phantom();
    const scan = new File([new Uint8Array(readFileSync(path))], 'phantom.nii.gz');
    const { findings, file } = await segment(model, engine, scan);
    assert.deepEqual(
      findings.map(({ name }) => name),
      ['anterior', 'posterior'],
    );
    const labels = gunzipSync(file).subarray(352);
    assert.equal(labels.length, 32 ** 3);
    for (const { values, voxels, volume } of findings) {
      assert.equal(labels.filter((value) => values.includes(value)).length, voxels);
      assert.ok(Math.abs(volume - (voxels * 2 ** 3) / 1000) < 1e-9);
    }
  });
  it('refuses what is no model, and scans that do not fit', async () => {
    await assert.rejects(openModel(new Uint8Array(100), engine), /^UserError: the model: the header is not/);
    const opened = await openModel(model, engine);
    const file = await phantom();
    const volume = await readNifti(bytesOf(file), 'a.nii.gz');
    await assert.rejects(
      opened.segment([volume, volume], { names: ['a', 'b'] }),
      /a: found 2 channels.*has 1: MRI/,
    );
    await assert.rejects(readNifti(new Uint8Array(3), 'b.nii'), /b\.nii: found 3 bytes/);
    opened.dispose();
  });
  it('writes label values above 255 and volumes that are not compressed', async () => {
    const volume = await readNifti(bytesOf(await phantom()), 'a.nii.gz');
    const labels = new Uint16Array(32 ** 3).fill(300, 5, 9);
    const back = await readNifti(await writeNifti(labels, volume, 'labels.nii'), 'labels.nii');
    assert.deepEqual(Uint16Array.from(back.voxels), labels);
    assert.deepEqual(back.affine, volume.affine);
  });
  it('measures two masks', () => {
    const size = [4, 3, 2] as const;
    const [a, b] = [new Uint8Array(24), new Uint8Array(24)];
    a.fill(1, 4, 8);
    b.fill(1, 4, 7);
    const { dice, hd95 } = measure(a, b, { size, spacing: [2, 1, 1] });
    assert.ok(Math.abs(dice - 6 / 7) < 1e-12);
    // Of four distances 0, 0, 0, 2 the 95th percentile.
    assert.ok(Math.abs(hd95 - 1.7) < 1e-9);
  });
});

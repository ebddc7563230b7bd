// What `lunet predict` takes: pairs of files, a file a channel, several models, runs of earlier versions, scaled integers.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readNifti } from '../../../src/data/nifti/read.js';
import { writeNifti } from '../../../src/data/nifti/write.js';
import { generatePhantom } from '../../../src/data/phantoms/index.js';
import { type Model } from '../../../src/model/model.js';
import { type Tensor } from '../../../src/network/weights.js';
import { readNetwork } from '../../../src/runs/network-file.js';
import { encodeSafetensors } from '../../../src/runs/safetensors.js';
import { seal, unseal } from '../../../src/runs/sealed.js';
import { madeModel, madeModelFile } from '../../export/made-model.js';
import { emptyFolder, lunet } from '../lunet.js';
import { TINY } from '../tiny.js';

const cwd = emptyFolder();
const SHIPPED = fileURLToPath(new URL('../../../../models/hippocampus.safetensors', import.meta.url));

function predict(status: number, ...args: string[]): { stdout: string; stderr: string } {
  const result = lunet(['predict', ...args, '--threads', '1'], { cwd });
  assert.equal(result.status, status, result.stderr);
  return result;
}

const at = (...path: string[]): string => join(cwd, ...path);
const labels = async (...path: string[]): Promise<Uint8Array> =>
  Uint8Array.from((await readNifti(at(...path))).voxels);

/** Writes a phantom's image as a file; the same for each seed. */
async function phantom(path: string, seed = 1, affine?: number[][]): Promise<void> {
  const { size, spacing, image } = generatePhantom({ kind: 'hippocampus', size: 32, seed, index: 0 });
  await writeNifti(at(path), { size, spacing, voxels: Int16Array.from(image), ...(affine && { affine }) });
}

/** The model with this added to the biases at its end. */
function withBias(model: Model, added: number): Model {
  const { shape, data } = model.weights.get('head.bias') as Tensor;
  const biases = new Map(model.weights).set('head.bias', { shape, data: data.map((bias) => bias + added) });
  return { ...model, weights: biases };
}

describe('lunet predict', () => {
  it('takes pairs of .hdr and .img, and sees when either has changed', async () => {
    mkdirSync(at('pairs'));
    await phantom('single.nii.gz');
    const bytes = gunzipSync(readFileSync(at('single.nii.gz')));
    const header = Buffer.from(bytes.subarray(0, 348));
    header.write('ni1\0', 344, 'latin1');
    header.writeFloatLE(0, 108);
    writeFileSync(at('pairs/a.hdr'), header);
    writeFileSync(at('pairs/a.img'), bytes.subarray(352));
    predict(0, 'hippocampus', '-i', 'single.nii.gz', '-o', 'single-seg.nii.gz');
    const { stderr } = predict(0, 'hippocampus', '-i', 'pairs', '-o', 'pairs-seg');
    assert.match(stderr, /^Next: lunet evaluate REFERENCE pairs-seg\/a\.nii\.gz$/m);
    const found = await labels('pairs-seg/a.nii.gz');
    assert.deepEqual(found, await labels('single-seg.nii.gz'));
    assert.ok(found.some((value) => value > 0));
    writeFileSync(at('pairs/a.img'), bytes.subarray(352).fill(7, 0, 1000));
    assert.match(
      predict(2, 'hippocampus', '-i', 'pairs', '-o', 'pairs-seg').stderr,
      /was made from another scan/,
    );
    rmSync(at('pairs/a.img'));
    assert.match(predict(3, 'hippocampus', '-i', 'pairs', '-o', 'x').stderr, /a: \S+a\.img: cannot be read/);
  });

  it("takes a file a channel under nnU-Net's names, as one file with all channels", async () => {
    const size = [9, 13, 20] as const;
    const spacing = [1.2, 1, 2] as const;
    const channels = [0, 1].map((k) =>
      Int16Array.from({ length: 9 * 13 * 20 }, (_, i) => ((i * (7 + 4 * k)) % 400) - 100),
    ) as [Int16Array, Int16Array];
    mkdirSync(at('two'));
    mkdirSync(at('four'));
    for (const [k, voxels] of channels.entries())
      await writeNifti(at(`two/b_000${k}.nii.gz`), { size, spacing, voxels });
    const both = Int16Array.from([...channels[0], ...channels[1]]);
    await writeNifti(at('four/b.nii.gz'), { size: [9, 13, 40], spacing, voxels: both });
    const bytes = gunzipSync(readFileSync(at('four/b.nii.gz')));
    for (const [axis, n] of [4, 9, 13, 20, 2].entries()) bytes.writeInt16LE(n, 40 + 2 * axis);
    writeFileSync(at('four/b.nii.gz'), gzipSync(bytes));
    const model = withBias(madeModel, 0.5);
    writeFileSync(at('made.safetensors'), madeModelFile(model));
    const other: Model = { ...model, outputs: [...madeModel.outputs].reverse() };
    writeFileSync(at('other.safetensors'), madeModelFile(other));

    predict(0, 'made.safetensors', '-i', 'two', '-o', 'two-seg');
    predict(0, 'made.safetensors', '-i', 'two/b_0001.nii.gz', '-o', 'one-seg.nii.gz');
    predict(0, 'made.safetensors', '-i', 'four', '-o', 'four-seg');
    const found = await labels('two-seg/b.nii.gz');
    assert.equal(new Set(found).size, 2);
    assert.deepEqual(await labels('four-seg/b.nii.gz'), found);
    assert.deepEqual(await labels('one-seg.nii.gz'), found);

    copyFileSync(at('two/b_0000.nii.gz'), at('two/c_0000.nii.gz'));
    assert.match(
      predict(3, 'made.safetensors', '-i', 'two', '-o', 'two-seg').stderr,
      /1 of 2 cases failed:\n {2}c: two\/c: found channels 0000, but the model has 0000, 0001/,
    );
    await writeNifti(at('two/c_0001.nii.gz'), { size, spacing: [1.2, 1, 3], voxels: channels[1] });
    const { stderr } = predict(3, 'made.safetensors', '-i', 'two', '-o', 'two-seg');
    assert.match(stderr, /c_0001\.nii\.gz: pixdim: .*\(all channels of a scan must be on one grid/);
    assert.doesNotMatch(stderr, /dataset\./);
    assert.match(
      predict(2, 'made.safetensors', 'other.safetensors', '-i', 'two', '-o', 'x').stderr,
      /other\.safetensors: outputs: found .* models of an ensemble must agree/,
    );
  });

  it('averages the probabilities of several models', async () => {
    const shipped = readNetwork(SHIPPED).model as Model;
    writeFileSync(at('timid.safetensors'), madeModelFile(withBias(shipped, -3)));
    await phantom('ensemble.nii.gz');
    const soft = async (...models: string[]): Promise<Float64Array | Float32Array> => {
      const out = `ensemble-${models.length}-${models[0]}`;
      predict(0, ...models, '-i', 'ensemble.nii.gz', '-o', out, '--probabilities');
      return (await readNifti(at(out, 'ensemble_probabilities.nii.gz'))).voxels;
    };
    const [one, other, mean] = [
      await soft('hippocampus'),
      await soft('timid.safetensors'),
      await soft('timid.safetensors', 'hippocampus'),
    ];
    let apart = 0;
    mean.forEach((p, i) => {
      const [a, b] = [one[i] as number, other[i] as number];
      apart = Math.max(apart, Math.abs(a - b));
      // All three are rounded to 255ths.
      assert.ok(Math.abs(p - (a + b) / 2) <= 1.01 / 255, `${p} of ${a} and ${b}`);
    });
    assert.ok(apart > 0.3);
  });

  it('takes the run of an earlier version from its folder', async () => {
    writeFileSync(at('tiny.yaml'), TINY);
    const trained = lunet(['train', 'tiny.yaml', '--model', 'unet-n2', '--seeds', '1'], { cwd });
    assert.equal(trained.status, 0, trained.stderr);
    const run = 'runs/tiny/train/unet-n2/seed-1';
    await phantom('run.nii.gz');
    predict(0, run, '-i', 'run.nii.gz', '-o', 'run-new.nii.gz');

    // Earlier runs kept the weights alone, and no digest of them.
    const path = at(run, 'model.safetensors');
    const { architecture, labels: names, weights, model } = readNetwork(path);
    const metadata = {
      architecture: JSON.stringify(architecture),
      labels: JSON.stringify(names),
      run: (model as Model).run.key,
    };
    writeFileSync(at(run, 'weights.safetensors'), encodeSafetensors({ tensors: weights, metadata }));
    rmSync(path);
    const record = unseal(readFileSync(at(run, 'run.json'), 'utf8')) as { files: Record<string, string> };
    delete record.files['model.safetensors'];
    writeFileSync(at(run, 'run.json'), seal(record));
    const { stderr } = predict(0, run, '-i', 'run.nii.gz', '-o', 'run-old.nii.gz');
    assert.match(stderr, /^Model: tiny\/unet-n2\/seed-1 \(\S+weights\.safetensors\)$/m);
    assert.deepEqual(await labels('run-old.nii.gz'), await labels('run-new.nii.gz'));
    assert.match(
      predict(3, `${run}/weights.safetensors`, '-i', 'run.nii.gz', '-o', 'x.nii.gz').stderr,
      /found a network without preprocessing and label values.*give the folder of the run instead/,
    );
  });

  it('never writes over a scan, not even with --force', async () => {
    mkdirSync(at('own'));
    await phantom('own/scan.nii.gz');
    const before = readFileSync(at('own/scan.nii.gz'));
    for (const out of ['own', 'own/scan.nii.gz'])
      assert.match(
        predict(2, 'hippocampus', '-i', 'own/scan.nii.gz', '-o', out, '--force').stderr,
        /found the result own\/scan\.nii\.gz, which is the scan itself, expected another place/,
      );
    assert.deepEqual(readFileSync(at('own/scan.nii.gz')), before);
    assert.deepEqual(readdirSync(at('own')), ['scan.nii.gz']);
  });

  it('finds the same in scaled integers as in the numbers that they stand for', async () => {
    await phantom('plain.nii.gz');
    const bytes = gunzipSync(readFileSync(at('plain.nii.gz')));
    // z-score takes slope and intercept away.
    bytes.writeFloatLE(0.37, 112);
    bytes.writeFloatLE(-1024, 116);
    writeFileSync(at('scaled.nii'), bytes);
    predict(0, 'hippocampus', '-i', 'plain.nii.gz', '-o', 'plain-seg.nii.gz');
    predict(0, 'hippocampus', '-i', 'scaled.nii', '-o', 'scaled-seg.nii.gz');
    const [plain, scaled] = [await labels('plain-seg.nii.gz'), await labels('scaled-seg.nii.gz')];
    assert.ok(plain.filter((value, i) => value !== scaled[i]).length <= 1);
  });
});

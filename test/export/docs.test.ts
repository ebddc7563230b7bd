// The examples of docs/export.md do what they say. The one in Python needs onnxruntime and nibabel: LUNET_TEST_PYTHON names the
// interpreter that has them. The one in JavaScript needs onnxruntime-node.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { readNifti } from '../../src/data/nifti/read.js';
import { writeNifti } from '../../src/data/nifti/write.js';
import { normalise } from '../../src/data/normalise.js';
import { type Extent, cropPad } from '../../src/data/preprocess.js';
import { onnxFile } from '../../src/export/onnx/index.js';
import { type Model } from '../../src/model/model.js';
import { buildArchitecture } from '../../src/network/architecture.js';
import { stream } from '../../src/random.js';
import { emptyFolder } from '../cli/lunet.js';
import { weightsFor } from '../engine/cases.js';
import { plainForward } from '../engine/plain.js';
import { madeModel } from './made-model.js';

const text = readFileSync(new URL('../../../docs/export.md', import.meta.url), 'utf8');
const example = (language: string): string =>
  new RegExp(`\`\`\`${language}\n([^\`]*)\`\`\``).exec(text)?.[1] as string;

const architecture = buildArchitecture(
  { family: 'lunet', n: 3, levels: 3, convs: 1, scale: 1, skips: true },
  1,
  2,
);
const weights = weightsFor({ name: 'm', architecture, size: [8, 16, 12], batch: 1, dropout: 0 });
// So that there are voxels of both outputs and of none.
const bias = (weights.get('head.bias') as { data: Float32Array }).data;
for (const k of bias.keys()) bias[k] = (bias[k] as number) - 0.4;
const model: Model = {
  ...madeModel,
  architecture,
  channels: ['MRI'],
  outputs: [
    { name: 'a', values: [3] },
    { name: 'b', values: [7] },
  ],
  preprocessing: { size: [12, 16, 8], normalisation: 'z-score', orientation: 'RAS' },
  weights,
};

/** A folder with the model as hippocampus.onnx, and noise of a size. */
function made(size: Extent): { folder: string; voxels: Int16Array } {
  const folder = emptyFolder();
  writeFileSync(join(folder, 'hippocampus.onnx'), onnxFile(model, 'float32'));
  const random = stream(1, 'scan');
  const voxels = Int16Array.from({ length: size[0] * size[1] * size[2] }, () => random.integer(1000));
  return { folder, voxels };
}

/** Probabilities of both outputs on the window. */
function probabilities(voxels: Int16Array, size: Extent): readonly Float64Array[] {
  const window = model.preprocessing.size;
  const image = new Float32Array(window[0] * window[1] * window[2]);
  const normal = Float64Array.from(voxels);
  normalise(normal, 'z-score');
  cropPad(normal, size, window, image);
  return plainForward(architecture, model.weights, image, [window[2], window[1], window[0]]).probabilities;
}

const python = process.env['LUNET_TEST_PYTHON'];

test('in Python', { skip: python === undefined && 'LUNET_TEST_PYTHON is not set' }, async () => {
  const size: Extent = [11, 13, 8];
  const { folder, voxels } = made(size);
  await writeNifti(join(folder, 'scan.nii.gz'), { size, spacing: [1, 1, 1], voxels });
  const ran = spawnSync(python as string, ['-c', example('python')], { cwd: folder, encoding: 'utf8' });
  assert.equal(ran.status, 0, ran.stderr);
  const [a, b] = probabilities(voxels, size) as [Float64Array, Float64Array];
  const labels = Float32Array.from(a, (p, i) => {
    const q = b[i] as number;
    return Math.max(p, q) <= 0.5 ? 0 : p >= q ? 3 : 7;
  });
  const expected = new Float32Array(voxels.length);
  cropPad(labels, model.preprocessing.size, size, expected);
  assert.ok(new Set(expected).size === 3);
  const written = await readNifti(join(folder, 'segmentation.nii.gz'));
  assert.deepEqual(Float32Array.from(written.voxels), expected);
});

const runtime = ((): string | undefined => {
  try {
    return /^.*\/node_modules\/onnxruntime-node/.exec(
      fileURLToPath(import.meta.resolve('onnxruntime-node')),
    )?.[0];
  } catch (error) {
    if (process.env['LUNET_TEST_RUNTIMES']?.includes('onnxruntime-node')) throw error;
    return undefined;
  }
})();

test('in Node.js', { skip: runtime === undefined && 'onnxruntime-node is not installed' }, () => {
  const size = model.preprocessing.size;
  const { folder, voxels } = made(size);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(runtime as string, join(folder, 'node_modules/onnxruntime-node'));
  writeFileSync(join(folder, 'example.mjs'), example('js'));
  const script = `import { segment } from ${JSON.stringify(pathToFileURL(join(folder, 'example.mjs')).href)};
    const mask = await segment(Float32Array.from(${JSON.stringify([...voxels])}), [${size.join()}]);
    console.log(JSON.stringify([...mask]));`;
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(ran.status, 0, ran.stderr);
  const expected = probabilities(voxels, size).flatMap((channel) => [...channel].map((p) => Number(p > 0.5)));
  assert.ok(new Set(expected).size === 2);
  assert.deepEqual(JSON.parse(ran.stdout), expected);
});

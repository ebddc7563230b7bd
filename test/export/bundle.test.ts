import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundle } from '../../src/export/bundle.js';
import { madeModel, madeModelFile } from './made-model.js';
import { readOnnx } from './onnx/read.js';

interface Tensor {
  type: string;
  format: string;
  num_channels: number;
  spatial_shape: string[];
  dtype: string;
  value_range: number[];
  is_patch_data: boolean;
  channel_def: Record<string, string>;
}

interface Metadata {
  network_data_format: { inputs: Record<string, Tensor>; outputs: Record<string, Tensor> };
  lunet: object;
}

/** The files of the made model's bundle by path. */
async function filesOf(half: boolean): Promise<Map<string, string | Uint8Array>> {
  const files = await bundle.files(madeModel, 'b', { half });
  assert.equal(files.at(-1)?.path, 'b/configs/metadata.json');
  return new Map(files.map(({ path, content }) => [path, content]));
}

/** What MONAI's schema of July 2024 asks for. */
const REQUIRED: Readonly<Record<string, string>> = {
  schema: 'string',
  version: 'string',
  monai_version: 'string',
  pytorch_version: 'string',
  numpy_version: 'string',
  required_packages_version: 'object',
  task: 'string',
  description: 'string',
  authors: 'string',
  copyright: 'string',
  network_data_format: 'object',
};

test("metadata.json has what MONAI's schema asks for, and the model's description", async () => {
  const files = await filesOf(false);
  const metadata = JSON.parse(files.get('b/configs/metadata.json') as string) as Metadata;
  for (const [key, type] of Object.entries(REQUIRED))
    assert.equal(typeof (metadata as unknown as Record<string, unknown>)[key], type, key);
  const { inputs, outputs } = metadata.network_data_format;
  assert.deepEqual(inputs, {
    image: {
      type: 'image',
      format: 'magnitude',
      modality: 'T1, T2',
      num_channels: 2,
      spatial_shape: ['4*d', '4*h', '4*w'],
      dtype: 'float32',
      value_range: [0, 1],
      is_patch_data: true,
      channel_def: { 0: 'T1', 1: 'T2' },
    },
  });
  assert.deepEqual(outputs['probabilities']?.channel_def, { 0: 'whole', 1: 'core' });
  const { weights, ...description } = madeModel;
  assert.ok(weights);
  assert.deepEqual(metadata.lunet, description);
});

test('the names of inputs and outputs are those of the ONNX file', async () => {
  const files = await filesOf(true);
  const metadata = JSON.parse(files.get('b/configs/metadata.json') as string) as Metadata;
  const model = readOnnx(files.get('b/models/model.onnx') as Uint8Array);
  const { inputs, outputs } = metadata.network_data_format;
  assert.deepEqual(
    Object.keys(inputs),
    model.inputs.map(({ name }) => name),
  );
  assert.deepEqual(
    Object.keys(outputs),
    model.outputs.map(({ name }) => name),
  );
  assert.deepEqual(JSON.parse(model.metadata['model'] as string), metadata.lunet);
  assert.ok(model.tensors.some(({ type }) => type === 10));
});

test('the model file is in it, and what is done to a scan in words', async () => {
  const files = await filesOf(false);
  assert.deepEqual(files.get('b/models/model.safetensors'), madeModelFile());
  const readme = files.get('b/docs/README.md') as string;
  assert.match(readme, /resampled to 1 x 1 x 2\.5 mm/);
  assert.match(readme, /from -100 to 300 to 0 to 1/);
  assert.match(readme, /- whole: label 1, 2\n- core: label 2/);
  assert.match(readme, /CC-BY-SA 4\.0/);
});

// The masks of exported networks in ONNX Runtime on real cases. Runs where the runtimes are installed; LUNET_TEST_RUNTIMES names those
// that must be, such as `onnxruntime-node,onnxruntime-web`.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { loadExperiment } from '../../src/config/load.js';
import { shippedConfigs } from '../../src/config/shipped.js';
import { type Dataset, loadDataset } from '../../src/data/dataset.js';
import { volumeSize } from '../../src/data/preprocess.js';
import { createEngine } from '../../src/engine/index.js';
import { onnxFile } from '../../src/export/onnx/index.js';
import { type Precision } from '../../src/export/onnx/network.js';
import { type Model } from '../../src/model/model.js';
import { openModel } from '../../src/runs/open-model.js';
import { settingsFor } from '../../src/training/network-settings.js';
import { emptyFolder, lunet } from '../cli/lunet.js';

/** As much of onnxruntime-node and -web as is used. */
interface Runtime {
  readonly InferenceSession: { create(file: Uint8Array): Promise<Session> };
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => object;
}
interface Session {
  run(inputs: Record<string, object>): Promise<Record<string, { data: Float32Array; dims: number[] }>>;
}

const runtimes = new Map<string, Runtime>();
const wanted = process.env['LUNET_TEST_RUNTIMES']?.split(',') ?? [];
for (const name of ['onnxruntime-node', 'onnxruntime-web'])
  try {
    runtimes.set(name, (await import(name)) as Runtime);
  } catch (error) {
    if (wanted.includes(name) || (error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND')
      throw error;
    console.log(`skipped: ${name} is not installed`);
  }

const data = process.env['LUNET_TEST_DATA'];
const skip =
  data === undefined
    ? 'LUNET_TEST_DATA is not set'
    : runtimes.size === 0
      ? 'no ONNX Runtime is installed'
      : false;

/** How near to 0.5 a probability has to be to come out on the other side of it by rounding alone: Winograd's is 3e-5. */
const ROUNDING = 1e-4;

describe('a network on real test cases in ONNX Runtime', { skip }, () => {
  let model: Model;
  let dataset: Dataset;
  let images: Float32Array[];
  let expected: Float32Array[];

  before(async () => {
    const settings = [
      `dataset.root=${JSON.stringify(join(data as string, 'Task04_Hippocampus'))}`,
      'dataset.labels={anterior: 1, posterior: 2}',
      'models=[{family: lunet, n: 4, levels: 4, convs: 2}]',
      // Short, but long enough for masks that look like the labels.
      'training.epochs=3',
      'training.batch=4',
      'training.learningRate=0.02',
      'training.seeds=[1]',
    ];
    const cwd = emptyFolder();
    const trained = lunet(['train', 'hippocampus', ...settings.flatMap((each) => ['--set', each])], { cwd });
    assert.equal(trained.status, 0, trained.stderr);
    ({ model } = openModel(join(cwd, 'runs/hippocampus/train/lunet-n4/seed-1')));
    const { config } = loadExperiment(join(shippedConfigs, 'hippocampus.yaml'), settings);
    dataset = await loadDataset(config);
    const cases = dataset.splits.get('default')?.test as readonly string[];
    assert.equal(cases.length, 50);
    images = cases.map((id) => dataset.sample(id).image);
    const engine = await createEngine('native', { threads: 2 });
    const network = await engine.load(
      settingsFor(config.training, model.architecture, dataset, 1),
      model.weights,
    );
    expected = [];
    for (const image of images) expected.push(await network.predict([image], 'running'));
    network.dispose();
  });

  const predict = async (
    runtime: Runtime,
    precision: Precision,
    cases: readonly Float32Array[],
  ): Promise<Float32Array[]> => {
    const session = await runtime.InferenceSession.create(onnxFile(model, precision));
    const shape = [1, model.architecture.inputChannels, ...volumeSize(model.preprocessing.size)];
    const found: Float32Array[] = [];
    for (const image of cases) {
      const outputs = await session.run({ image: new runtime.Tensor('float32', image, shape) });
      found.push((outputs['probabilities'] as { data: Float32Array }).data);
    }
    return found;
  };

  for (const [name, runtime] of runtimes) {
    test(`${name}: the same masks`, async (t) => {
      const found = await predict(runtime, 'float32', images);
      let [voxels, other] = [0, 0];
      for (const [i, probabilities] of found.entries())
        for (const [at, p] of probabilities.entries()) {
          const q = (expected[i] as Float32Array)[at] as number;
          voxels += Number(q > 0.5);
          if (p > 0.5 === q > 0.5) continue;
          assert.ok(Math.abs(q - 0.5) < ROUNDING, `case ${i}: ${p} and ${q}`);
          other++;
        }
      t.diagnostic(`${voxels} voxels in masks, ${other} on the other side of 0.5 by rounding`);
      assert.ok(voxels > 50_000, `an almost empty prediction: ${voxels} voxels`);
    });

    test(`${name}: nearly the same masks in half precision`, async () => {
      const found = await predict(runtime, 'float16', images.slice(0, 10));
      for (const [i, probabilities] of found.entries()) {
        const dice = diceOf(probabilities, expected[i] as Float32Array);
        assert.ok(dice > 0.99, `case ${i}: found a Dice of ${dice} with the masks in full precision`);
      }
    });
  }
});

/** Of two predictions' masks. */
function diceOf(a: Float32Array, b: Float32Array): number {
  let [both, sum] = [0, 0];
  for (const [i, p] of a.entries()) {
    const q = b[i] as number;
    both += Number(p > 0.5 && q > 0.5);
    sum += Number(p > 0.5) + Number(q > 0.5);
  }
  return (2 * both) / sum;
}

// The TensorFlow engine, if it is set up: few operations, little memory, no leaks, reproducible bits. And its set-up: the
// messages when something is missing.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { type Engine, type NetworkSettings } from '../../src/engine/engine.js';
import { createEngine } from '../../src/engine/index.js';
import { readInstallation } from '../../src/engine/tensorflow/installation.js';
import {
  type Architecture,
  blockOutput,
  buildArchitecture,
  listLayers,
  totalChannels,
} from '../../src/network/architecture.js';
import { possibleRemovals, removeChannel } from '../../src/network/surgery.js';
import { initialWeights } from '../../src/network/weights.js';
import { stream } from '../../src/random.js';
import { emptyFolder, lunet } from '../cli/lunet.js';

const installation = readInstallation();
const skip = installation === undefined && 'skipped: TensorFlow is not set up (lunet setup tensorflow)';

const flat = buildArchitecture({ family: 'lunet', n: 4, levels: 4, convs: 2, scale: 1, skips: true }, 1, 1);
const settings = (architecture: Architecture, side: number, maxBatch: number): NetworkSettings => ({
  architecture,
  size: [side, side, side],
  maxBatch,
  targets: new Uint32Array(256).fill(1, 1, 2),
  adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
});
const samples = (side: number, count: number) =>
  Array.from({ length: count }, (_, n) => {
    const random = stream(n, 'sample');
    const label = Uint8Array.from({ length: side ** 3 }, (_, i) => Number(i % side < side / 2));
    return { label, image: Float32Array.from(label, (inside) => inside + random.normal()) };
  });
const ones = (architecture: Architecture, cases: number): Float32Array =>
  new Float32Array(cases * totalChannels(architecture)).fill(1);
const load = (engine: Engine, architecture: Architecture, side: number, batch: number) =>
  engine.load(settings(architecture, side, batch), initialWeights(architecture, stream(1, 'weights')));

/** Counts TensorFlow's operations by name while something runs. */
async function countOperations(work: () => Promise<unknown>): Promise<Map<string, number>> {
  type Execute = (name: string, ...rest: unknown[]) => unknown;
  const backend = tf.backend() as unknown as Record<
    'executeSingleOutput' | 'executeMultipleOutputs',
    Execute
  >;
  const counts = new Map<string, number>();
  const methods = ['executeSingleOutput', 'executeMultipleOutputs'] as const;
  for (const method of methods) {
    const original = backend[method].bind(backend);
    backend[method] = (name, ...rest) => {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      return original(name, ...rest);
    };
  }
  await work();
  // The assigned property hides the method of the prototype.
  for (const method of methods) delete (backend as Partial<typeof backend>)[method];
  return counts;
}

/** Peak bytes of tensors while something runs, minus those before. */
async function peakBytes(work: () => Promise<unknown>): Promise<number> {
  interface Tracker {
    trackTensor: (...values: unknown[]) => void;
    state: { numBytes: number };
  }
  const engine = tf.engine() as unknown as Tracker;
  const before = engine.state.numBytes;
  let peak = before;
  const original = engine.trackTensor.bind(engine);
  engine.trackTensor = (...values) => {
    original(...values);
    peak = Math.max(peak, engine.state.numBytes);
  };
  await work();
  delete (engine as Partial<Tracker>).trackTensor;
  return peak - before;
}

/** Bytes that the backward pass needs: the activation and output of each layer, and the inputs of blocks. */
function neededBytes(architecture: Architecture, side: number): number {
  const { skips } = architecture;
  return listLayers(architecture).reduce((sum, { side: half, level, layer, width }) => {
    const voxels = (side / 2 ** level) ** 3;
    const skip = skips ? blockOutput(architecture, { side: 'encoder', level }) : 0;
    const above =
      half === 'encoder' && level > 0 ? blockOutput(architecture, { side: 'encoder', level: level - 1 }) : 0;
    const input = layer > 0 ? 0 : half === 'decoder' ? (architecture.up[level] as number) + skip : above;
    return sum + 4 * voxels * (2 * width + input);
  }, 0);
}

describe('the TensorFlow engine', { skip }, () => {
  const engine = (): Promise<Engine> => createEngine('tensorflow', { threads: 2 });
  it('keeps to its budget of operations', async () => {
    const network = await load(await engine(), flat, 16, 2);
    const batch = samples(16, 2);
    await network.trainStep(batch, ones(flat, 2), 0.01);
    await network.trainStep(batch, ones(flat, 2), 0.01);
    const counts = await countOperations(() => network.trainStep(batch, ones(flat, 2), 0.01));
    network.dispose();
    // A reshape moves no data. A layer has four operations forward and five backward; pooling, raising and joining a
    // level some 24; loss, Adam and statistics 45.
    counts.delete('Reshape');
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const budget = 9 * listLayers(flat).length + 24 * (flat.encoder.length - 1) + 45;
    assert.ok(total <= budget, `${total} operations, ${budget} allowed: ${JSON.stringify([...counts])}`);
    assert.equal(counts.get('FusedBatchNormV3'), listLayers(flat).length);
  });
  it('holds little more than what the gradients need', async () => {
    const network = await load(await engine(), flat, 32, 2);
    const batch = samples(32, 2);
    const masks = ones(flat, 2);
    masks[5] = 0;
    await network.trainStep(batch, masks, 0.01);
    const peak = await peakBytes(() => network.trainStep(batch, masks, 0.01));
    network.dispose();
    const ratio = peak / 2 / neededBytes(flat, 32);
    assert.ok(ratio < 1.3, `${ratio.toFixed(2)} times what the gradients need`);
  });
  it('leaves no tensor behind in 1,000 steps', async () => {
    const tiny = buildArchitecture(
      { family: 'lunet', n: 2, levels: 2, convs: 1, scale: 1, skips: true },
      1,
      1,
    );
    const network = await load(await engine(), tiny, 4, 1);
    const batch = samples(4, 1);
    await network.trainStep(batch, ones(tiny, 1), 0.01);
    const before = tf.memory();
    for (let step = 0; step < 1000; step++) await network.trainStep(batch, ones(tiny, 1), 0.01);
    await network.evaluate(batch);
    await network.activationSums(batch, { masks: ones(tiny, 1) }, true);
    const after = tf.memory();
    assert.equal(after.numTensors - before.numTensors, await tensorsOfNetwork(before.numTensors));
    network.dispose();

    /** The tensors that are cut from the parameter vector appear with the first pass after a step. */
    async function tensorsOfNetwork(earlier: number): Promise<number> {
      await network.trainStep(batch, ones(tiny, 1), 0.01);
      assert.equal(tf.memory().numTensors, earlier);
      return after.numTensors - earlier;
    }
  });
  it('leaves no tensor behind in 50 removals', async () => {
    const own = await engine();
    const batch = samples(8, 1);
    let architecture = buildArchitecture(
      { family: 'unet', n: 8, levels: 3, convs: 2, scale: 1, skips: true },
      1,
      1,
    );
    assert.ok(possibleRemovals(architecture) > 50);
    let weights = initialWeights(architecture, stream(1, 'weights'));
    let before: number | undefined;
    for (let removal = 0; removal < 51; removal++) {
      const network = await own.load(settings(architecture, 8, 1), weights);
      await network.trainStep(batch, ones(architecture, 1), 0.01);
      weights = await network.readWeights();
      network.dispose();
      before ??= tf.memory().numTensors;
      const layer = listLayers(architecture).find(({ prunable, width }) => prunable && width > 1);
      ({ architecture, weights } = removeChannel(architecture, weights, {
        layer: layer?.name ?? '',
        channel: 0,
      }));
    }
    assert.equal(tf.memory().numTensors, before);
  });
  it('gives the same bits again on a processor', async () => {
    if ((await engine()).description.device.endsWith('gpu')) return;
    const once = async (): Promise<number[]> => {
      const network = await load(await engine(), flat, 16, 2);
      const losses = [];
      for (let step = 0; step < 5; step++)
        losses.push(await network.trainStep(samples(16, 2), ones(flat, 2), 0.01));
      network.dispose();
      return losses;
    };
    assert.deepEqual(await once(), await once());
  });
  it('trains, prunes and retrains from the command line, without a word from TensorFlow', () => {
    const cwd = emptyFolder();
    const env = installation && { LUNET_TENSORFLOW: installation.packages };
    const small = ['--set', 'training.epochs=3', '--set', 'training.seeds=[1]', '--engine', 'tensorflow'];
    for (const line of [
      ['train', '--model', 'lunet-n4'],
      ['prune', '--strategy', 'stamp', '--set', 'models=[{family: unet, n: 2, levels: 2}]'],
    ]) {
      const { status, stderr } = lunet([...line, ...small], { cwd, env: { ...env } });
      assert.equal(status, 0, stderr);
      assert.match(
        stderr,
        /^Config: .*\nEngine: tensorflow \(TensorFlow 2\.\d+\.\d+ on [cg]pu, \d+ threads?\)\n/,
      );
      assert.doesNotMatch(stderr, /oneDNN|absl|cuda/i);
    }
    assert.ok(existsSync(join(cwd, 'runs/default/prune/stamp/seed-1/snapshot-50.safetensors')));
  });
});

describe('lunet setup tensorflow', () => {
  const cwd = emptyFolder();
  const home = { XDG_CACHE_HOME: join(cwd, 'cache') };
  it('says what to install where there is no Python', () => {
    const { status, stderr } = lunet(['setup', 'tensorflow', '--dir', join(cwd, 'none')], {
      cwd,
      env: { ...home, LUNET_PYTHON: '/no/such/python' },
    });
    assert.equal(status, 4);
    assert.match(stderr, /LUNET_PYTHON=\/no\/such\/python does not run; .*apt install python3-venv/);
  });
  it('says what a folder of an own TensorFlow must have', () => {
    const { status, stderr } = lunet(['setup', 'tensorflow', '--dir', join(cwd, 'own'), '--library', cwd], {
      cwd,
      env: home,
    });
    assert.equal(status, 4);
    assert.match(stderr, /include: has no tensorflow\/c\/c_api\.h; expected TensorFlow's headers/);
  });
  it('says that there is nothing to remove', () => {
    const { status, stderr } = lunet(['setup', 'tensorflow', '--remove', '--dir', join(cwd, 'x')], {
      cwd,
      env: home,
    });
    assert.equal(status, 1);
    assert.match(stderr, /there is nothing to remove/);
  });
  it('is asked for by the engine, by doctor, and after damage', () => {
    const env = { ...home, LUNET_TENSORFLOW: join(cwd, 'half') };
    const train = () => lunet(['train', '--engine', 'tensorflow'], { cwd, env });
    assert.equal(train().status, 4);
    assert.match(train().stderr, /TensorFlow is not set up; run: lunet setup tensorflow/);
    mkdirSync(env.LUNET_TENSORFLOW);
    writeFileSync(join(env.LUNET_TENSORFLOW, 'setup.json'), '{');
    assert.match(train().stderr, /setup\.json: is damaged; run: lunet setup tensorflow/);
    assert.match(lunet(['doctor'], { cwd, env }).stdout, /FAIL TensorFlow .*damaged/);
    // Commands that do not need it work without it.
    assert.equal(lunet(['train', '--dry-run'], { cwd, env }).status, 0);
  });
});

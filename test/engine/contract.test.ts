// Every engine computes the same network: the native engine on each instruction set and as WebAssembly against
// TensorFlow.js, and all against the numbers of PyTorch.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Engine, type Network, type Sample, type VolumeSize } from '../../src/engine/engine.js';
import { createNativeEngine } from '../../src/engine/native/index.js';
import { type Architecture, totalChannels } from '../../src/network/architecture.js';
import { type Tensor, type Weights } from '../../src/network/weights.js';
import { stream } from '../../src/random.js';
import {
  type EngineCase,
  batchFor,
  engineCases,
  largeCases,
  masksFor,
  settingsFor,
  weightsFor,
} from './cases.js';
import { assertClose, assertTensorsClose } from './closeness.js';
import { instructionSets, optional, optionalFor, oracle, wasm, withNative } from './engines.js';

/** The results of all functions of an engine on one case. */
async function probe(engine: Engine, test: EngineCase): Promise<Record<string, unknown>> {
  const batch = batchFor(test);
  const settings = settingsFor(test);
  const network = await engine.load(settings, weightsFor(test));
  const images = batch.map(({ image }) => image);
  const gradients = await network.gradients(batch, { masks: masksFor(test, 0) });
  const sums = await network.activationSums(batch, { masks: masksFor(test, 0) }, true);
  const withoutGradients = await network.activationSums(batch, { masks: masksFor(test, 0) }, false);
  assert.equal(withoutGradients.gradientProduct, undefined);
  assertClose(withoutGradients.sum, sums.sum, 1e-6, 'activation sums without gradients');
  const evaluated = await network.gradients(batch, 'evaluation');
  const evaluatedSums = await network.activationSums(batch, 'evaluation', true);
  const evaluatedForward = await network.activationSums(batch, 'evaluation', false);
  assertClose(evaluatedForward.sumOfSquares, evaluatedSums.sumOfSquares, 1e-6, 'squares without gradients');
  const last = await network.gradients(batch.slice(-1), 'evaluation');
  const synflow = await network.synflowGradients();
  const batchStatistics = await network.predict(images, 'batch');
  const before = await network.readWeights();
  const losses = [await network.trainStep(batch, masksFor(test, 0), 0.001)];
  const afterOne = await network.readWeights();
  for (let step = 1; step < 3; step++)
    losses.push(await network.trainStep(batch, masksFor(test, step), 0.001));
  const result = {
    loss: gradients.loss,
    gradients: gradients.gradients,
    sums,
    evaluated,
    evaluatedSums,
    last,
    synflow,
    batchStatistics,
    before,
    losses,
    afterOne,
    optimizer: await network.readOptimizerState(),
    running: await network.predict(images, 'running'),
    overlaps: await network.evaluate(batch),
    single: await network.predict(images.slice(-1), 'running'),
  };
  network.dispose();
  network.dispose();
  await assert.rejects(network.readWeights(), /disposed/);
  return result;
}
type Sums = Record<'sum' | 'sumOfSquares' | 'gradientProduct', Float64Array>;
type Probe = Awaited<ReturnType<typeof probe>> & {
  loss: number;
  gradients: Weights;
  sums: Sums;
  evaluated: { loss: number; gradients: Weights };
  evaluatedSums: Sums;
  last: { loss: number; gradients: Weights };
  synflow: Weights;
  batchStatistics: Float32Array;
  before: Weights;
  losses: number[];
  afterOne: Weights;
  optimizer: { step: number; m: Weights; v: Weights };
  running: Float32Array;
  overlaps: { intersection: Float64Array; predicted: Float64Array; target: Float64Array }[];
  single: Float32Array;
};

// Sums over a few thousand voxels in single precision agree to about 1e-6; the backward pass through up to 14 batch norms
// over small volumes multiplies this error. Adam makes a full step in the direction of the sign of a gradient, so for
// weights whose gradient is nearly 0 the moments are compared instead.
const FORWARD = 2e-5;
const BACKWARD = 2e-3;
// Libraries use other orders of summation, also for variances; for volumes of a few voxels the difference is visible. On
// some processors the order depends on the size of the batch.
const OTHERS = 1e-4;

/** `alone`: the tolerance for the prediction of a case that is alone in its batch. */
function compare(found: Probe, expected: Probe, test: EngineCase, forward = FORWARD, alone = 0): void {
  assert.ok(
    Math.abs(found.loss - expected.loss) < 1e-5,
    `loss: found ${found.loss}, expected ${expected.loss}`,
  );
  assertTensorsClose(found.gradients, expected.gradients, BACKWARD, 'gradients');
  assertClose(found.sums.sum, expected.sums.sum, forward, 'sum of activations');
  assertClose(found.sums.sumOfSquares, expected.sums.sumOfSquares, forward, 'sum of squares');
  // Over a whole batch these sums cancel, since batch norm does not depend on scale, so absolute differences are compared.
  for (const [i, product] of expected.sums.gradientProduct.entries())
    assert.ok(
      Math.abs((found.sums.gradientProduct[i] as number) - product) < 2e-5,
      `activation times gradient ${i}`,
    );
  for (const kind of ['evaluated', 'last'] as const) {
    assertClose([found[kind].loss], [expected[kind].loss], 1e-5, `loss, ${kind}`);
    assertTensorsClose(found[kind].gradients, expected[kind].gradients, BACKWARD, `gradients, ${kind}`);
  }
  assertClose(found.evaluatedSums.sum, expected.evaluatedSums.sum, forward, 'sum in evaluation');
  assertClose(
    found.evaluatedSums.sumOfSquares,
    expected.evaluatedSums.sumOfSquares,
    forward,
    'squares in evaluation',
  );
  assertClose(
    found.evaluatedSums.gradientProduct,
    expected.evaluatedSums.gradientProduct,
    BACKWARD,
    'activation times gradient in evaluation',
  );
  for (const [name, { data }] of expected.synflow)
    assertClose((found.synflow.get(name) as Tensor).data, data, 1e-4, `synflow ${name}`);
  assertClose(found.batchStatistics, expected.batchStatistics, forward, 'prediction with batch statistics');
  assert.deepEqual([...found.before], [...weightsFor(test)], 'scoring must not change weights or statistics');
  assertClose(found.losses, expected.losses, 1e-4, 'three losses');
  assert.equal(found.optimizer.step, 3);
  // Only the statistics of the first step, whose weights are equal; later ones also contain the effect of Adam on rounding.
  for (const [name, { data }] of expected.afterOne)
    if (/running_(mean|var)$/.test(name))
      assertClose((found.afterOne.get(name) as Tensor).data, data, forward, name);
  assert.deepEqual(
    found.overlaps.map(({ target }) => [...target]),
    expected.overlaps.map(({ target }) => [...target]),
  );
  const voxels = test.size[0] * test.size[1] * test.size[2];
  assertClose(
    found.single,
    found.running.slice(-voxels * test.architecture.labels),
    alone,
    'a case alone or in a batch',
  );
}

describe('cases', () => {
  for (const test of [...engineCases, ...largeCases]) {
    let expected: Promise<Probe> | undefined;
    for (const isa of instructionSets)
      it(`${test.name}: native ${isa} agrees with TensorFlow.js`, async () => {
        expected ??= probe(oracle, test) as Promise<Probe>;
        compare((await probe(createNativeEngine({ isa, threads: 2 }), test)) as Probe, await expected, test);
      });
    it(`${test.name}: WebAssembly agrees with TensorFlow.js`, async () => {
      expected ??= probe(oracle, test) as Promise<Probe>;
      compare((await probe(wasm, test)) as Probe, await expected, test);
    });
    for (const engine of largeCases.includes(test) ? [] : optionalFor(test))
      it(`${test.name}: ${engine.description.name} agrees with TensorFlow.js in JavaScript`, async () => {
        expected ??= probe(oracle, test) as Promise<Probe>;
        compare((await probe(engine, test)) as Probe, await expected, test, OTHERS, OTHERS);
      });
  }
});

describe('finite differences', () => {
  const checked = new Set<string>();
  for (const test of engineCases.filter(({ batch }) => batch > 1))
    it(`${test.name}: the oracle's gradients are those of its loss`, async () => {
      const settings = settingsFor(test);
      const weights = weightsFor(test);
      const batch = batchFor(test);
      const network = await oracle.load(settings, weights);
      const { gradients } = await network.gradients(batch, { masks: masksFor(test, 0) });
      network.dispose();
      const lossAt = async (direction: Weights, step: number): Promise<number> => {
        const moved = new Map(weights);
        for (const [name, { shape, data }] of direction) {
          const from = (weights.get(name) as Tensor).data;
          moved.set(name, { shape, data: data.map((d, i) => (from[i] as number) + step * d) });
        }
        const other = await oracle.load(settings, moved);
        const { loss } = await other.gradients(batch, { masks: masksFor(test, 0) });
        other.dispose();
        return loss;
      };
      // Along the gradient of one kind of tensor at a time, the loss must fall by the squared norm of the gradient. The loss
      // has 24 bits and a kink at every ReLU and maximum, so the step is a compromise and the tolerance is large; a wrong
      // formula gives a far larger error.
      for (const kind of ['conv.weight', 'conv.bias', 'norm.weight', 'norm.bias', 'up.', 'head.']) {
        const direction: Weights = new Map([...gradients].filter(([name]) => name.includes(kind)));
        const norm = Math.hypot(...[...direction.values()].map(({ data }) => Math.hypot(...data)));
        if (norm < 1e-2) continue; // too flat for 24 bits
        const step = 1e-3 / norm;
        const slope = ((await lossAt(direction, step)) - (await lossAt(direction, -step))) / (2 * step);
        assert.ok(
          Math.abs(slope / norm ** 2 - 1) < 0.05,
          `${kind}: slope ${slope}, gradient squared ${norm ** 2}`,
        );
        checked.add(kind);
      }
    });
  it('looked at every kind of tensor', () => assert.equal(checked.size, 6, [...checked].join(', ')));
});

describe('volumes that no cache holds', () => {
  // The native engine stores large batches differently. A batch of copies has the loss and the gradients of one copy.
  const [copies, size] = [16, [64, 64, 64]] as const;
  const blocks = { encoder: [[4], [5]], decoder: [[3]], up: [4] };
  const architecture: Architecture = { inputChannels: 1, labels: 1, skips: true, ...blocks };
  const one: EngineCase = { name: 'copies', architecture, size, batch: 1, dropout: 0 };
  for (const isa of instructionSets)
    it(`native ${isa}: a batch of copies has the gradients of one`, async () => {
      const found = await Promise.all(
        [1, copies].map(async (batch) => {
          const test = { ...one, batch };
          const network = await createNativeEngine({ isa, threads: 2 }).load(
            settingsFor(test, 0),
            weightsFor(one),
          );
          const [sample] = batchFor(one) as [Sample];
          const result = await network.gradients(
            Array.from({ length: batch }, () => sample),
            { masks: masksFor(test, 0) },
          );
          network.dispose();
          return result;
        }),
      );
      const [alone, together] = found as [(typeof found)[0], (typeof found)[0]];
      assertClose([together.loss], [alone.loss], 1e-6, 'loss');
      assertTensorsClose(together.gradients, alone.gradients, 1e-4, 'gradients');
    });
});

describe('to the bit', () => {
  const named = (start: string): EngineCase =>
    [...engineCases, ...largeCases].find(({ name }) => name.startsWith(start)) as EngineCase;
  const test = named('four levels');
  const weightsAfter = async (engine: Engine, test: EngineCase): Promise<Weights> => {
    const network = await engine.load(settingsFor(test), weightsFor(test));
    for (let step = 0; step < 4; step++) await network.trainStep(batchFor(test), masksFor(test, step), 0.01);
    const weights = await network.readWeights();
    network.dispose();
    return weights;
  };
  for (const threads of withNative ? [1, 2, 3, 8] : [])
    it(`${threads} threads give the weights of one`, async () => {
      for (const each of [test, named('wide layers, odd')])
        assert.deepEqual(
          [...(await weightsAfter(createNativeEngine({ threads }), each))],
          [...(await weightsAfter(createNativeEngine({ threads: 1 }), each))],
        );
    });
  it('WebAssembly gives the same weights each time', async () => {
    assert.deepEqual([...(await weightsAfter(wasm, test))], [...(await weightsAfter(wasm, test))]);
  });
  it('goes on from weights and optimizer state as if never stopped', async () => {
    const native = withNative ? [createNativeEngine({ threads: 2 })] : [];
    const test = named('two levels');
    for (const engine of [...native, wasm, oracle, ...optional]) {
      const batch = batchFor(test);
      const through = await engine.load(settingsFor(test), weightsFor(test));
      for (let step = 0; step < 3; step++) await through.trainStep(batch, masksFor(test, step), 0.01);
      let stopped: Network = await engine.load(settingsFor(test), weightsFor(test));
      for (let step = 0; step < 3; step++) {
        await stopped.trainStep(batch, masksFor(test, step), 0.01);
        const [weights, optimizer] = [await stopped.readWeights(), await stopped.readOptimizerState()];
        stopped.dispose();
        stopped = await engine.load(settingsFor(test), weights, optimizer);
      }
      assert.deepEqual([...(await stopped.readWeights())], [...(await through.readWeights())]);
      stopped.dispose();
      through.dispose();
    }
  });
});

/** The stored numbers of PyTorch; see fixtures/torch/generate.py. */
interface Stored {
  readonly shape: number[];
  readonly data: string;
}
interface Fixture {
  readonly architecture: Architecture;
  readonly size: VolumeSize;
  readonly learningRate: number;
  readonly images: Stored;
  readonly labels: string;
  readonly masks: Stored;
  readonly losses: number[];
  readonly initial: Record<string, Stored>;
  readonly gradients: Record<string, Stored>;
  readonly activationSums: Record<'sum' | 'sumOfSquares' | 'gradientProduct', Stored>;
  readonly afterThree: Record<string, Stored>;
  readonly afterTen: Record<string, Stored>;
  readonly batchStatistics: Stored;
  readonly runningStatistics: Stored;
}
const fixture = JSON.parse(
  readFileSync(new URL('../../../test/engine/fixtures/torch/unet.json', import.meta.url), 'utf8'),
) as Fixture;
const numbers = ({ data }: Stored): Float32Array =>
  new Float32Array(Uint8Array.from(Buffer.from(data, 'base64')).buffer);
const tensors = (stored: Record<string, Stored>): Weights =>
  new Map(
    Object.entries(stored).map(([name, tensor]) => [name, { shape: tensor.shape, data: numbers(tensor) }]),
  );
const inOrder = (found: Weights, expected: Weights): Weights =>
  new Map([...found.keys()].map((name) => [name, expected.get(name) as Tensor]));

describe('PyTorch', () => {
  const engines: Engine[] = [
    oracle,
    ...optional,
    wasm,
    ...instructionSets.map((isa) => createNativeEngine({ isa, threads: 2 })),
  ];
  for (const engine of engines)
    it(`${engine.description.name} ${engine.description.device} reproduces its numbers`, async () => {
      const { architecture, size } = fixture;
      // Adam makes full steps in the direction of the sign of a gradient, so differences grow with the steps.
      const close = optional.includes(engine) ? 1e-2 : 1e-4;
      const [cases] = fixture.images.shape as [number];
      const voxels = size[0] * size[1] * size[2];
      const images = numbers(fixture.images);
      const labels = Uint8Array.from(Buffer.from(fixture.labels, 'base64'));
      const perImage = voxels * architecture.inputChannels;
      const batch: Sample[] = Array.from({ length: cases }, (_, n) => ({
        image: images.slice(n * perImage, (n + 1) * perImage),
        label: labels.slice(n * voxels, (n + 1) * voxels),
      }));
      const targets = new Uint32Array(256);
      targets[1] = 0b11;
      targets[2] = 0b10;
      const perStep = cases * totalChannels(architecture);
      const masks = (step: number): Float32Array =>
        numbers(fixture.masks).slice(step * perStep, (step + 1) * perStep);
      const network = await engine.load(
        { architecture, size, maxBatch: cases, targets, adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } },
        tensors(fixture.initial),
      );
      const { gradients } = await network.gradients(batch, { masks: masks(0) });
      assertTensorsClose(gradients, inOrder(gradients, tensors(fixture.gradients)), 1e-4, 'gradients');
      const sums = await network.activationSums(batch, { masks: masks(0) }, true);
      for (const kind of ['sum', 'sumOfSquares', 'gradientProduct'] as const)
        assertClose(sums[kind] as Float64Array, numbers(fixture.activationSums[kind]), 1e-5, kind);
      for (const [step, expected] of fixture.losses.entries()) {
        const loss = await network.trainStep(batch, masks(step), fixture.learningRate);
        assert.ok(
          Math.abs(loss - expected) < close / 50,
          `loss ${step}: found ${loss}, expected ${expected}`,
        );
        if (step === 2) {
          const weights = await network.readWeights();
          assertTensorsClose(
            weights,
            inOrder(weights, tensors(fixture.afterThree)),
            close,
            'after three steps',
          );
        }
      }
      const weights = await network.readWeights();
      assertTensorsClose(weights, inOrder(weights, tensors(fixture.afterTen)), close, 'after ten steps');
      const volumes = batch.map(({ image }) => image);
      const final = await engine.load(
        { architecture, size, maxBatch: cases, targets, adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } },
        tensors(fixture.afterTen),
      );
      assertClose(
        await final.predict(volumes, 'running'),
        numbers(fixture.runningStatistics),
        optional.includes(engine) ? 1e-4 : 1e-5,
        'running',
      );
      assertClose(
        await final.predict(volumes, 'batch'),
        numbers(fixture.batchStatistics),
        optional.includes(engine) ? 1e-4 : 1e-5,
        'batch statistics',
      );
      final.dispose();
      network.dispose();
    });
});

describe('random streams', () => {
  it('give other numbers for another seed or key, the same for the same', () => {
    const draw = (...key: (string | number)[]): number[] => {
      const random = stream(7, ...key);
      return Array.from({ length: 4 }, () => random.uniform());
    };
    assert.deepEqual(draw('a', 1), draw('a', 1));
    assert.notDeepEqual(draw('a', 1), draw('a', 2));
    assert.notDeepEqual(draw('a', 1), draw('a1'));
  });
});

// The losses on every engine, against PyTorch, plain loops and finite differences; ignored voxels; many outputs.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type LossSettings, type NetworkSettings, type Sample } from '../../src/engine/engine.js';
import { type Architecture } from '../../src/network/architecture.js';
import { type Tensor, type Weights } from '../../src/network/weights.js';
import { type EngineCase, batchFor, masksFor, settingsFor, weightsFor } from './cases.js';
import { assertClose, assertTensorsClose } from './closeness.js';
import { native, optional, oracle, wasm } from './engines.js';
import { type Numbers, plainLoss } from './plain.js';

const engines = [oracle, ...native, wasm, ...optional];
const nameOf = ({ description }: (typeof engines)[0]): string => `${description.name} ${description.device}`;
const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

interface Stored {
  readonly shape: number[];
  readonly data: string;
}
const fixture = JSON.parse(
  readFileSync(new URL('../../../test/engine/fixtures/torch/losses.json', import.meta.url), 'utf8'),
) as {
  readonly size: [number, number, number];
  readonly width: number;
  readonly ignored: number;
  readonly images: Stored;
  readonly labels: string;
  readonly initial: Record<string, Stored>;
  readonly losses: (LossSettings & {
    readonly ignores: boolean;
    readonly loss: number;
    readonly gradients: Record<string, Stored>;
  })[];
};
const numbers = ({ data }: Stored): Float32Array =>
  new Float32Array(Uint8Array.from(Buffer.from(data, 'base64')).buffer);
const tensors = (stored: Record<string, Stored>): Weights =>
  new Map(
    Object.entries(stored).map(([name, { shape, data }]) => [
      name,
      { shape, data: numbers({ shape, data }) },
    ]),
  );

/** Networks of one layer: nothing is between loss and gradients that other tests do not cover. */
const oneLayer = (labels: number, width = 3): Architecture => ({
  inputChannels: 1,
  labels,
  skips: true,
  encoder: [[width]],
  decoder: [],
  up: [],
});

describe('losses of PyTorch', () => {
  const { size, images } = fixture;
  const [cases] = images.shape as [number];
  const voxels = size[0] * size[1] * size[2];
  const labels = Uint8Array.from(Buffer.from(fixture.labels, 'base64'));
  const batch: Sample[] = Array.from({ length: cases }, (_, n) => ({
    image: numbers(images).slice(n * voxels, (n + 1) * voxels),
    label: labels.slice(n * voxels, (n + 1) * voxels),
  }));
  const targets = new Uint32Array(256);
  targets[1] = 0b11;
  targets[2] = 0b10;
  const masks = new Float32Array(cases * fixture.width).fill(1);
  for (const engine of engines)
    it(`are reproduced on ${nameOf(engine)}`, async () => {
      assert.equal(fixture.losses.length, 8);
      for (const { ignores, loss: expected, gradients: stored, entropy, batchDice } of fixture.losses) {
        const settings: NetworkSettings = {
          architecture: oneLayer(2, fixture.width),
          size,
          maxBatch: cases + 1,
          targets,
          loss: { entropy, batchDice },
          ignored: ignores ? fixture.ignored : undefined,
          adam,
        };
        const what = JSON.stringify({ entropy, batchDice, ignores });
        const network = await engine.load(settings, tensors(fixture.initial));
        const { loss, gradients } = await network.gradients(batch, { masks });
        network.dispose();
        assertClose([loss], [expected], 1e-5, what);
        const wanted = tensors(stored);
        const inOrder = new Map([...gradients.keys()].map((name) => [name, wanted.get(name) as Tensor]));
        assertTensorsClose(gradients, inOrder, 1e-4, what);
      }
    });
});

describe('the sum of Dice over cases and cross-entropy', () => {
  const test: EngineCase = {
    name: 'losses',
    architecture: { inputChannels: 2, labels: 3, skips: true, encoder: [[3], [4]], decoder: [[5]], up: [2] },
    size: [2, 6, 10],
    batch: 3,
    dropout: 0,
  };
  it('has gradients that are its slopes, on all engines, with ignored voxels', async () => {
    const settings: NetworkSettings = {
      ...settingsFor(test),
      loss: { entropy: true, batchDice: false },
      ignored: 3,
    };
    const [weights, batch] = [weightsFor(test), batchFor(test)];
    const lossAt = (direction: Weights, step: number): number => {
      const moved = new Map<string, Numbers>(weights);
      for (const [name, { data }] of direction) {
        const from = (weights.get(name) as Tensor).data;
        moved.set(name, { data: Float64Array.from(data, (d, i) => (from[i] as number) + step * d) });
      }
      return plainLoss(test.architecture, moved, batch, settings.targets, test.size, settings);
    };
    for (const engine of engines) {
      const network = await engine.load(settings, weights);
      const { loss, gradients } = await network.gradients(batch, 'evaluation');
      network.dispose();
      assertClose([loss], [lossAt(new Map(), 0)], 1e-5, nameOf(engine));
      for (const kind of ['conv.weight', 'norm.bias', 'up.', 'head.weight', 'head.bias']) {
        const direction: Weights = new Map([...gradients].filter(([name]) => name.includes(kind)));
        const square = [...direction.values()].reduce((sum, { data }) => sum + Math.hypot(...data) ** 2, 0);
        const step = 1e-6 / Math.sqrt(square);
        const slope = (lossAt(direction, step) - lossAt(direction, -step)) / (2 * step);
        assertClose([square], [slope], 2e-3, `${nameOf(engine)}: ${kind}`);
      }
    }
  });

  it('is what a training step descends: the loss and gradients that the engine reports', async () => {
    // The first step of Adam moves every weight against the sign of its gradient.
    const settings: NetworkSettings = { ...settingsFor(test), loss: { entropy: true, batchDice: false } };
    for (const engine of engines) {
      const network = await engine.load(settings, weightsFor(test));
      const masks = masksFor(test, 0);
      const { loss, gradients } = await network.gradients(batchFor(test), { masks });
      assert.equal(await network.trainStep(batchFor(test), masks, 1e-3), loss, nameOf(engine));
      const after = await network.readWeights();
      network.dispose();
      const before = (weightsFor(test).get('head.weight') as Tensor).data;
      const moved = (after.get('head.weight') as Tensor).data.map((w, i) =>
        Math.sign((before[i] as number) - w),
      );
      assert.deepEqual([...moved], [...(gradients.get('head.weight') as Tensor).data.map(Math.sign)]);
    }
  });

  it('is finite where probabilities are 0 or 1, and grows as the logits do', async () => {
    const architecture = oneLayer(1, 1);
    const plain: EngineCase = { name: 'saturated', architecture, size: [1, 5, 7], batch: 1, dropout: 0 };
    const batch = [{ image: new Float32Array(35), label: Uint8Array.from({ length: 35 }, (_, i) => i % 2) }];
    for (const logit of [-300, -60, 60, 300])
      for (const engine of engines) {
        const weights = new Map(
          [...weightsFor(plain)].map(([name, { shape, data }]) => [
            name,
            { shape, data: data.map(() => (name.endsWith('var') ? 1 : 0)) },
          ]),
        );
        (weights.get('head.bias') as Tensor).data[0] = logit;
        const settings = { ...settingsFor(plain), loss: { entropy: true, batchDice: true } };
        const network = await engine.load(settings, weights);
        const { loss, gradients } = await network.gradients(batch, 'evaluation');
        network.dispose();
        // 17 of 35 voxels are inside.
        const [wrong, dice] = logit > 0 ? [18, 34 / 52] : [17, 0];
        assertClose([loss], [1 - dice + (wrong / 35) * Math.abs(logit)], 1e-5, nameOf(engine));
        const [slope] = (gradients.get('head.bias') as Tensor).data;
        assertClose([slope as number], [(Math.sign(logit) * wrong) / 35], 1e-5, nameOf(engine));
      }
  });
});

describe('ignored voxels', () => {
  const test: EngineCase = {
    name: 'ignored',
    architecture: oneLayer(2),
    size: [3, 5, 7],
    batch: 2,
    dropout: 0,
  };
  for (const engine of engines)
    it(`count neither as predicted nor as target, on ${nameOf(engine)}`, async () => {
      const settings: NetworkSettings = { ...settingsFor(test), ignored: 3 };
      const network = await engine.load(settings, weightsFor(test));
      const batch = batchFor(test);
      const overlaps = await network.evaluate(batch);
      const probabilities = await network.predict(
        batch.map(({ image }) => image),
        'running',
      );
      for (const [n, { label }] of batch.entries())
        for (const k of [0, 1]) {
          const p = probabilities.subarray((n * 2 + k) * label.length, (n * 2 + k + 1) * label.length);
          const count = (of: (p: number, t: boolean) => boolean): number =>
            label.reduce((sum, l, i) => {
              const t = (((settings.targets[l] as number) >> k) & 1) === 1;
              return sum + Number(l !== 3 && of(p[i] as number, t));
            }, 0);
          assert.ok(count((p) => p > 0.5) < p.reduce((sum, p) => sum + Number(p > 0.5), 0));
          assert.deepEqual(
            [overlaps[n]?.intersection[k], overlaps[n]?.predicted[k], overlaps[n]?.target[k]],
            [count((p, t) => p > 0.5 && t), count((p) => p > 0.5), count((_, t) => t)],
          );
        }
      network.dispose();
    });
  it('alone give a loss of 1 and no gradient', async () => {
    const batch = batchFor(test).map(({ image, label }) => ({ image, label: label.map(() => 3) }));
    for (const entropy of [false, true])
      for (const engine of engines) {
        const settings = { ...settingsFor(test), loss: { entropy, batchDice: false }, ignored: 3 };
        const network = await engine.load(settings, weightsFor(test));
        const { loss, gradients } = await network.gradients(batch, 'evaluation');
        network.dispose();
        assert.equal(loss, 1);
        for (const { data } of gradients.values()) assert.ok(data.every((value) => value === 0));
      }
  });
});

describe('many outputs', () => {
  for (const labels of [20, 32])
    it(`${labels}: every engine computes the gradients, overlaps and probabilities of the oracle`, async () => {
      const test: EngineCase = {
        name: `${labels} outputs`,
        architecture: oneLayer(labels),
        size: [3, 5, 7],
        batch: 2,
        dropout: 0,
      };
      const targets = new Uint32Array(256);
      for (let k = 0; k < labels; k++) targets[k + 1] = (1 << k) >>> 0;
      targets[40] = 0xffffffff; // a value that belongs to all outputs
      const batch = batchFor(test).map(({ image }, n) => ({
        image,
        label: Uint8Array.from({ length: 105 }, (_, i) => (i % 9 === 0 ? 40 : (i * 7 + n) % (labels + 1))),
      }));
      const settings: NetworkSettings = {
        ...settingsFor(test),
        targets,
        loss: { entropy: true, batchDice: true },
      };
      const results = [];
      for (const engine of engines) {
        const network = await engine.load(settings, weightsFor(test));
        const { loss, gradients } = await network.gradients(batch, 'evaluation');
        const overlaps = await network.evaluate(batch);
        const images = batch.map(({ image }) => image);
        results.push({
          engine,
          loss,
          gradients,
          overlaps,
          predicted: await network.predict(images, 'running'),
        });
        network.dispose();
      }
      const expected = results[0] as (typeof results)[0];
      const plain = plainLoss(test.architecture, weightsFor(test), batch, targets, test.size, settings);
      assertClose([expected.loss], [plain], 1e-5, 'plain loops');
      for (const { engine, loss, gradients, overlaps, predicted } of results) {
        assertClose([loss], [expected.loss], 1e-5, nameOf(engine));
        assertTensorsClose(gradients, expected.gradients, 1e-4, nameOf(engine));
        assert.deepEqual(overlaps, expected.overlaps);
        assertClose(predicted, expected.predicted, 1e-5, nameOf(engine));
      }
    });
});

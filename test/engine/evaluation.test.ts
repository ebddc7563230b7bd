// The network in evaluation mode on every engine: gradients with running statistics, and cases that overflow.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Engine, type Sample } from '../../src/engine/engine.js';
import { type Architecture } from '../../src/network/architecture.js';
import { type Tensor, type Weights } from '../../src/network/weights.js';
import { type EngineCase, batchFor, engineCases, settingsFor, weightsFor } from './cases.js';
import { assertClose } from './closeness.js';
import { native, optional, optionalFor, oracle, wasm } from './engines.js';
import { type Numbers, plainLoss } from './plain.js';

const engines = [oracle, ...native, wasm, ...optional];

describe('evaluation mode', () => {
  // What gradients are judged by here is the loss as plain loops compute it in double precision.
  const checked = new Set<string>();
  for (const test of engineCases)
    it(`${test.name}: gradients are those of the loss with running statistics`, async () => {
      const { architecture, size } = test;
      const settings = settingsFor(test);
      const [weights, batch] = [weightsFor(test), batchFor(test)];
      const results: { engine: Engine; loss: number; gradients: Weights }[] = [];
      // One after the other: engines on TensorFlow.js share its state, and their calls must not overlap.
      for (const engine of [oracle, ...native, wasm, ...optionalFor(test)]) {
        const network = await engine.load(settings, weights);
        results.push({ engine, ...(await network.gradients(batch, 'evaluation')) });
        network.dispose();
      }
      const lossAt = (direction: Weights, step: number): number => {
        const moved = new Map<string, Numbers>(weights);
        for (const [name, { data }] of direction) {
          const from = (weights.get(name) as Tensor).data;
          moved.set(name, { data: Float64Array.from(data, (d, i) => (from[i] as number) + step * d) });
        }
        return plainLoss(architecture, moved, batch, settings.targets, size);
      };
      const [{ gradients: directions }] = results as [(typeof results)[0]];
      const loss = lossAt(new Map(), 0);
      for (const { engine, loss: found } of results)
        assertClose([found], [loss], 1e-5, engine.description.device);
      for (const kind of ['conv.weight', 'conv.bias', 'norm.weight', 'norm.bias', 'up.', 'head.']) {
        const direction: Weights = new Map([...directions].filter(([name]) => name.includes(kind)));
        const norm = Math.hypot(...[...direction.values()].map(({ data }) => Math.hypot(...data)));
        if (norm === 0) continue; // there is none of its kind, or the network is dead
        const step = 1e-7 / norm;
        const slope = (lossAt(direction, step) - lossAt(direction, -step)) / (2 * step);
        for (const { engine, gradients } of results) {
          let found = 0;
          for (const [name, { data }] of direction)
            for (const [i, d] of data.entries())
              found += d * ((gradients.get(name) as Tensor).data[i] as number);
          assert.ok(
            Math.abs(found / slope - 1) < 2e-3,
            `${engine.description.device}: ${kind}: found a slope of ${found}, expected ${slope}`,
          );
          checked.add(kind);
        }
      }
    });
  it('looked at every kind of tensor', () => assert.equal(checked.size, 6, [...checked].join(', ')));
});

describe('a case that overflows', () => {
  const size = [4, 8, 8] as const;
  const blocks = { encoder: [[3], [4]], decoder: [[3]], up: [3] };
  const architecture: Architecture = { inputChannels: 1, labels: 2, skips: true, ...blocks };
  const test: EngineCase = { name: 'overflow', architecture, size, batch: 3, dropout: 0 };
  /** Overlaps of three cases, the middle one changed. */
  const evaluate = async (
    engine: Engine,
    change: (voxel: number) => number,
    weights = weightsFor(test),
  ): Promise<number[][]> => {
    const network = await engine.load(settingsFor(test), weights);
    const batch = batchFor(test);
    const { image, label } = batch[1] as Sample;
    batch[1] = { image: image.map(change), label };
    const overlaps = await network.evaluate(batch);
    network.dispose();
    return overlaps.map(({ intersection, predicted, target }) => [...intersection, ...predicted, ...target]);
  };
  for (const engine of engines) {
    const name = `${engine.description.name} ${engine.description.device}`;
    it(`has no overlap, and the others of its batch theirs, on ${name}`, async () => {
      const [first, second, third] = await evaluate(engine, (voxel) => 3e38 * Math.sign(voxel));
      const [expected, , alsoExpected] = await evaluate(engine, (voxel) => voxel);
      assert.ok(second?.every(Number.isNaN), String(second));
      assert.deepEqual([first, third], [expected, alsoExpected]);
    });
    it(`is found where a ReLU hides it, on ${name}`, async () => {
      // Everything that the only reader of the image makes of it is far below zero, so the ReLU leaves zeros.
      const weights = new Map(weightsFor(test));
      const { shape, data } = weights.get('encoder.0.0.conv.weight') as Tensor;
      weights.set('encoder.0.0.conv.weight', { shape, data: data.map(() => -1) });
      const network = await engine.load(settingsFor(test), weights);
      const [sample] = batchFor(test) as [Sample];
      const [overlap] = await network.evaluate([{ ...sample, image: sample.image.map(() => 3e38) }]);
      network.dispose();
      assert.ok(overlap?.target.every(Number.isNaN));
    });
    it(`is none that saturates the sigmoid, on ${name}`, async () => {
      for (const scale of [1e5, 1e15, 1e22])
        for (const sums of await evaluate(engine, (voxel) => scale * voxel))
          assert.ok(sums.every(Number.isFinite), `${scale}: ${String(sums)}`);
    });
  }
});

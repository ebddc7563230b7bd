// Each criterion against its definition, computed here from activations and gradients that TensorFlow.js operations give.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { CRITERIA, type Criterion } from '../../src/config/schema.js';
import { type Sample } from '../../src/engine/engine.js';
import { createEngine } from '../../src/engine/index.js';
import { backward, diceLoss } from '../../src/engine/tfjs/backward.js';
import { forward } from '../../src/engine/tfjs/forward.js';
import { composed } from '../../src/engine/tfjs/operations.js';
import { type Architecture, listLayers, totalChannels } from '../../src/network/architecture.js';
import { type Weights, initialWeights, tensorOf } from '../../src/network/weights.js';
import { criteria } from '../../src/pruning/criteria/index.js';
import { scoreChannels } from '../../src/pruning/score.js';
import { stream } from '../../src/random.js';
import { dropoutMasks } from '../../src/training/epoch.js';

const architecture: Architecture = {
  inputChannels: 1,
  labels: 1,
  skips: true,
  encoder: [
    [3, 4],
    [5, 2],
  ],
  decoder: [[4, 3]],
  up: [3],
};
const layers = listLayers(architecture);
const [depth, height, width] = [4, 6, 8] as const;
const cases = ['a', 'b', 'c', 'd', 'e']; // two batches of two, the fifth is left out
const batch = 2;
const random = stream(3, 'data');
const samples = new Map(
  cases.map((id): [string, Sample] => {
    const label = Uint8Array.from({ length: depth * height * width }, () => random.integer(2));
    return [id, { label, image: Float32Array.from(label, (inside) => inside + random.normal()) }];
  }),
);
const weights: Weights = initialWeights(architecture, stream(4, 'weights'));
for (const [name, { data }] of weights)
  if (name.endsWith('norm.weight')) for (let i = 0; i < data.length; i++) data[i] = random.normal();
const dropout = new Float64Array(totalChannels(architecture)).fill(0.3);
const seed = 11;
const step = 5;

/** Activations (N, D, H, W, C) of each layer and the gradients there and at the filters, batch by batch. */
function passes(): {
  activations: tf.Tensor5D[];
  atActivations: tf.Tensor[];
  atFilters: Map<string, tf.Tensor>;
}[] {
  const parameters = new Map(
    [...weights].map(([name, { shape, data }]) => {
      const tensor = tf.tensor(data, [...shape]);
      return [name, shape.length === 5 ? tf.transpose(tensor, [2, 3, 4, 1, 0]) : tensor];
    }),
  );
  return [0, 1].map((index) => {
    const chosen = cases.slice(index * batch, (index + 1) * batch).map((id) => samples.get(id) as Sample);
    const stack = (of: (sample: Sample) => ArrayLike<number>): tf.Tensor5D =>
      tf.tensor5d(
        chosen.flatMap((sample) => Array.from(of(sample))),
        [batch, depth, height, width, 1],
      );
    const masks = tf.tensor2d(dropoutMasks(batch, dropout, seed, ['score', step, index]), [
      batch,
      dropout.length,
    ]);
    const { logits, traces } = forward(
      architecture,
      parameters,
      stack(({ image }) => image),
      {
        statistics: 'batch',
        masks,
      },
      composed,
    );
    const { gradient } = diceLoss(
      logits,
      stack(({ label }) => label),
    );
    const { gradients, activations } = backward(architecture, parameters, traces, gradient, composed, {
      keep: true,
    });
    return {
      activations: traces.map(({ activation }) => activation),
      atActivations: [...activations],
      atFilters: gradients,
    };
  });
}

const unit = (scores: number[]): number[] => {
  const norm = Math.hypot(...scores);
  return scores.map((score) => (norm > 0 ? score / norm : score));
};
const sumSpace = (tensor: tf.Tensor): number[][] => tf.sum(tensor, [1, 2, 3]).arraySync() as number[][];
const column = (rows: number[][], c: number): number[] => rows.map((row) => row[c] as number);
const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The definitions, by layer. */
function expected(name: Criterion): number[][] {
  const seen = passes();
  const overBatches = (
    value: (pass: (typeof seen)[number], layer: number, c: number) => number,
  ): number[][] =>
    layers.map((layer, l) =>
      Array.from({ length: layer.width }, (_, c) => seen.reduce((sum, pass) => sum + value(pass, l, c), 0)),
    );
  const filter = (layer: string, c: number): number[] => {
    const { shape, data } = tensorOf(weights, `${layer}.conv.weight`);
    const size = data.length / (shape[0] as number);
    return Array.from(data.slice(c * size, (c + 1) * size));
  };
  const byChannel = (value: (layer: string, c: number) => number): number[][] =>
    layers.map((layer) => Array.from({ length: layer.width }, (_, c) => value(layer.name, c)));
  switch (name) {
    case 'l2':
      return overBatches(({ activations }, l, c) =>
        mean(column(sumSpace(tf.square(activations[l] as tf.Tensor)), c).map(Math.sqrt)),
      );
    case 'l1':
      return overBatches(({ activations }, l, c) =>
        mean(column(sumSpace(tf.abs(activations[l] as tf.Tensor)), c)),
      );
    case 'l1-std':
      return overBatches(({ activations }, l, c) => {
        const sums = column(sumSpace(tf.abs(activations[l] as tf.Tensor)), c);
        return Math.sqrt(sums.reduce((sum, value) => sum + (value - mean(sums)) ** 2, 0) / (sums.length - 1));
      });
    case 'taylor':
      return overBatches(({ activations, atActivations }, l, c) => {
        const product = tf.mul(activations[l] as tf.Tensor, atActivations[l] as tf.Tensor);
        return (tf.mean(product, [0, 1, 2, 3]).arraySync() as number[])[c] as number;
      }).map((scores) => scores.map(Math.abs));
    case 'weight-l1':
      return byChannel((layer, c) => filter(layer, c).reduce((sum, w) => sum + Math.abs(w), 0));
    case 'weight-l2':
      return byChannel((layer, c) => Math.hypot(...filter(layer, c)));
    case 'bn-scale':
      return byChannel((layer, c) => Math.abs(tensorOf(weights, `${layer}.norm.weight`).data[c] as number));
    case 'snip':
      return layers.map(({ name: layer, width: count }) => {
        const gradient = seen
          .map(({ atFilters }) => atFilters.get(`${layer}.conv.weight`) as tf.Tensor)
          .reduce((a, b) => tf.add(a, b));
        const turned = tf.transpose(gradient, [4, 3, 0, 1, 2]);
        const size = turned.size / count;
        const g = Array.from(turned.dataSync());
        return Array.from({ length: count }, (_, c) =>
          filter(layer, c).reduce((sum, w, i) => sum + Math.abs(w * (g[c * size + i] as number)), 0),
        );
      });
    case 'synflow':
      // R is linear in each filter: what a channel's filter contributes is R minus R without it, biases kept.
      return byChannel((layer, c) => linearOutput() - linearOutput(layer, c));
    case 'random':
      return byChannel(() => 0);
  }
}

/** The sum of all outputs of the network of absolute weights for ones, with one channel's filter set to zero. */
function linearOutput(layer?: string, channel = 0): number {
  const changed = new Map(
    [...weights].map(([name, { shape, data }]) => {
      const size = data.length / (shape[0] as number);
      const zeroed =
        name === `${layer}.conv.weight` ? data.slice().fill(0, channel * size, (channel + 1) * size) : data;
      const tensor = tf.tensor(zeroed, [...shape]);
      return [name, shape.length === 5 ? tf.transpose(tensor, [2, 3, 4, 1, 0]) : tensor];
    }),
  );
  const image: tf.Tensor5D = tf.ones([1, depth, height, width, 1]);
  return tf
    .sum(forward(architecture, changed, image, { statistics: 'none' }, composed).logits)
    .dataSync()[0] as number;
}

describe('criteria', () => {
  const engines = process.env['LUNET_WITHOUT_NATIVE'] === '1' ? ['cpu'] : ['cpu', 'native'];
  for (const engineName of engines)
    for (const name of CRITERIA.filter((criterion) => criterion !== 'random'))
      it(`${name} is what its definition says, on ${engineName}`, async () => {
        const engine = await createEngine(engineName, { threads: 2 });
        const settings = {
          architecture,
          size: [depth, height, width] as const,
          maxBatch: batch,
          targets: Uint32Array.from({ length: 256 }, (_, i) => (i === 1 ? 1 : 0)),
          adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        };
        const network = await engine.load(settings, weights);
        const scores = await scoreChannels(criteria[name], {
          network,
          architecture,
          size: settings.size,
          sample: (id) => samples.get(id) as Sample,
          cases,
          batch,
          dropout,
          seed,
          step,
        });
        assert.deepEqual([...(await network.readWeights())], [...weights], 'scoring must change nothing');
        network.dispose();
        // Taylor's sums over a batch nearly cancel (see its file), so single precision shows.
        const tolerance = name === 'taylor' ? 2e-2 : name === 'synflow' ? 5e-3 : 1e-4;
        for (const [l, values] of expected(name).entries())
          for (const [c, value] of unit(values).entries())
            assert.ok(
              Math.abs(((scores[l] as Float64Array)[c] as number) - value) < tolerance,
              `${layers[l]?.name} channel ${c}: found ${scores[l]?.[c]}, expected ${value}`,
            );
      });
  it('random draws other numbers at another step, the same at the same', async () => {
    const engine = await createEngine('cpu');
    const network = await engine.load(
      {
        architecture,
        size: [depth, height, width],
        maxBatch: 1,
        targets: new Uint32Array(256),
        adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      },
      weights,
    );
    const draw = (at: number): Promise<unknown> =>
      scoreChannels(criteria.random, {
        network,
        architecture,
        size: [depth, height, width],
        sample: (id) => samples.get(id) as Sample,
        cases,
        batch,
        dropout,
        seed,
        step: at,
      });
    assert.deepEqual(await draw(1), await draw(1));
    assert.notDeepEqual(await draw(1), await draw(2));
    network.dispose();
  });
});

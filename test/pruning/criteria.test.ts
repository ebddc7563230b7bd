// Each criterion against its definition, computed here from activations and gradients that TensorFlow.js operations give.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { type Scoring } from '../../src/config/schema.js';
import { type Engine, type Sample } from '../../src/engine/engine.js';
import { createEngine } from '../../src/engine/index.js';
import { backward } from '../../src/engine/tfjs/backward.js';
import { forward } from '../../src/engine/tfjs/forward.js';
import { lossOf } from '../../src/engine/tfjs/loss.js';
import { composed } from '../../src/engine/tfjs/operations.js';
import { type Architecture, listLayers, totalChannels } from '../../src/network/architecture.js';
import { type Weights, initialWeights, tensorOf } from '../../src/network/weights.js';
import { UserError } from '../../src/errors.js';
import { type Scores } from '../../src/pruning/criteria/criterion.js';
import { CRITERIA, type CriterionName, criteria } from '../../src/pruning/criteria/index.js';
import { scoreChannels } from '../../src/pruning/score.js';
import { type Feed } from '../../src/training/feed.js';
import { stream } from '../../src/random.js';
import { dropoutMasks } from '../../src/training/epoch.js';
import { oracle } from '../engine/oracle.js';
import { type Numbers, plainForward, plainLoss } from '../engine/plain.js';

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
const cases = ['a', 'b', 'c', 'd', 'e']; // two batches of two, and a last batch of one
const batch = 2;
const random = stream(3, 'data');
const samples = new Map(
  cases.map((id): [string, Sample] => {
    const [z, y, x] = [depth, height, width].map((length) => (0.35 + 0.3 * random.uniform()) * length);
    const label = Uint8Array.from({ length: depth * height * width }, (_, i) => {
      const place = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
      return Number(
        Math.hypot(...[z, y, x].map((centre, axis) => (centre as number) - (place[axis] as number))) < 2.5,
      );
    });
    return [id, { label, image: Float32Array.from(label, (inside) => inside + 0.5 * random.normal()) }];
  }),
);
const weights: Weights = initialWeights(architecture, stream(4, 'weights'));
for (const [name, { data }] of weights)
  for (let i = 0; i < data.length; i++) {
    if (/norm.weight|running_mean/.test(name)) data[i] = random.normal();
    if (name.endsWith('running_var')) data[i] = 0.2 + random.uniform();
  }
const dropout = new Float64Array(totalChannels(architecture)).fill(0.3);
const seed = 11;
const step = 5;

/** Activations (N, D, H, W, C) of each layer and the gradients there and at the filters, batch by batch. */
function passes(
  scoring: Scoring,
  from: Weights = weights,
): {
  activations: tf.Tensor5D[];
  atActivations: tf.Tensor[];
  atFilters: Map<string, tf.Tensor>;
}[] {
  const parameters = new Map(
    [...from].map(([name, { shape, data }]) => {
      const tensor = tf.tensor(data, [...shape]);
      return [name, shape.length === 5 ? tf.transpose(tensor, [2, 3, 4, 1, 0]) : tensor];
    }),
  );
  return [0, 1, 2].map((index) => {
    const chosen = cases.slice(index * batch, (index + 1) * batch).map((id) => samples.get(id) as Sample);
    const stack = (of: (sample: Sample) => ArrayLike<number>): tf.Tensor5D =>
      tf.tensor5d(
        chosen.flatMap((sample) => Array.from(of(sample))),
        [chosen.length, depth, height, width, 1],
      );
    const masks = tf.tensor2d(dropoutMasks(chosen.length, dropout, seed, ['score', step, index]), [
      chosen.length,
      dropout.length,
    ]);
    const { logits, traces } = forward(
      architecture,
      parameters,
      stack(({ image }) => image),
      scoring === 'evaluation' ? { statistics: 'running' } : { statistics: 'batch', masks },
      composed,
    );
    const { gradient } = lossOf(
      logits,
      stack(({ label }) => label),
      {},
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
function expected(name: CriterionName, scoring: Scoring): number[][] {
  const seen = passes(scoring);
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
        if (sums.length === 1) return 0; // one case has no deviation
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
      // R is linear in each filter: the contribution of a filter is R minus R without the filter, with biases kept.
      return byChannel((layer, c) => linearOutput() - linearOutput(layer, c));
    case 'random':
      return byChannel(() => 0);
  }
}

/** The sum of all outputs of the network of absolute weights for an image of ones, with one filter set to zero. */
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

const settings = {
  architecture,
  size: [depth, height, width] as const,
  maxBatch: batch,
  targets: Uint32Array.from({ length: 256 }, (_, i) => (i === 1 ? 1 : 0)),
  adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
};

/** Scores on an engine; checks that this does not change the network. */
async function scoresOf(
  engine: Engine,
  name: CriterionName,
  scoring: Scoring,
  from: Weights = weights,
  at = step,
): Promise<Scores> {
  const network = await engine.load(settings, from);
  const sample = (id: string): Sample => samples.get(id) as Sample;
  const dataset = { sample, channels: ['image'] } as unknown as Feed['dataset'];
  const { size } = settings;
  const scores = await scoreChannels(criteria[name], {
    ...{
      network,
      architecture,
      size,
      dataset,
      cases,
      batch,
      patch: undefined,
      scoring,
      dropout,
      seed,
      step: at,
    },
  });
  assert.deepEqual([...(await network.readWeights())], [...from], 'scoring must change nothing');
  network.dispose();
  return scores;
}

function assertScores(found: Scores, wanted: readonly number[][], tolerance: number): void {
  for (const [l, values] of wanted.entries())
    for (const [c, value] of unit(values).entries())
      assert.ok(
        Math.abs(((found[l] as Float64Array)[c] as number) - value) < tolerance,
        `${layers[l]?.name} channel ${c}: found ${found[l]?.[c]}, expected ${value}`,
      );
}

const engines: Engine[] = [oracle];
if (process.env['LUNET_WITHOUT_NATIVE'] !== '1') engines.push(await createEngine('native', { threads: 2 }));

describe('criteria', () => {
  for (const engine of engines)
    for (const scoring of ['evaluation', 'training'] as const)
      for (const name of CRITERIA.filter((criterion) => criterion !== 'random'))
        it(`${name} is what its definition says, in ${scoring} mode, on ${engine.description.name}`, async () => {
          const scores = await scoresOf(engine, name, scoring);
          // With the statistics of the batch, Taylor's sums nearly cancel (see taylor.ts), so rounding errors are visible.
          const cancels = name === 'taylor' && scoring === 'training';
          assertScores(scores, expected(name, scoring), cancels ? 2e-2 : name === 'synflow' ? 5e-3 : 1e-4);
        });
  it('that look at activations or gradients tell evaluation from training', async () => {
    for (const name of ['l2', 'l1', 'l1-std', 'taylor', 'snip'] as const)
      assert.notDeepEqual(
        await scoresOf(oracle, name, 'evaluation'),
        await scoresOf(oracle, name, 'training'),
        name,
      );
  });
  it('random draws other numbers at another step, the same at the same', async () => {
    const draw = (at: number): Promise<Scores> => scoresOf(oracle, 'random', 'evaluation', weights, at);
    assert.deepEqual(await draw(1), await draw(1));
    assert.notDeepEqual(await draw(1), await draw(2));
  });
  it('that are not finite stop with the layer, since no channel could be told from another', async () => {
    const broken = new Map(weights);
    const { shape, data } = tensorOf(weights, 'encoder.1.0.norm.weight');
    broken.set('encoder.1.0.norm.weight', { shape, data: data.map(() => Infinity) });
    await assert.rejects(
      scoresOf(oracle, 'bn-scale', 'evaluation', broken),
      (error: unknown) =>
        error instanceof UserError && /^encoder\.1\.0: found scores that are not/.test(error.message),
    );
  });
});

describe('a trained network in evaluation mode', () => {
  // The reference of these tests is computed by plain loops in double precision.
  const { targets, size } = settings;
  const all = cases.map((id) => samples.get(id) as Sample);
  const batches = [all.slice(0, 2), all.slice(2, 4), all.slice(4)];
  let trained: Weights = weights;
  before(async () => {
    const engine = engines.at(-1) as Engine;
    const network = await engine.load(settings, initialWeights(architecture, stream(5, 'weights')));
    for (let i = 0; i < 120; i++)
      await network.trainStep(
        batches[i % 2] as Sample[],
        dropoutMasks(batch, new Float64Array(dropout.length).fill(0.05), seed, [i]),
        0.01,
      );
    trained = await network.readWeights();
    network.dispose();
  });
  /** The values of a layer by batch, case and channel. */
  const byCase = (value: (channel: Float64Array) => number): number[][][][] =>
    layers.map((_, l) =>
      batches.map((some) =>
        some.map(({ image }) =>
          (plainForward(architecture, trained, image, size).activations[l] as Float64Array[]).map(value),
        ),
      ),
    );
  const overBatches = (values: number[][][][], fold: (cases: number[]) => number): number[][] =>
    values.map((layer, l) =>
      Array.from({ length: layers[l]?.width ?? 0 }, (_, c) =>
        layer.reduce((sum, some) => sum + fold(column(some, c)), 0),
      ),
    );
  const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
  const deviation = (values: number[]): number =>
    values.length < 2
      ? 0
      : Math.sqrt(values.reduce((total, v) => total + (v - mean(values)) ** 2, 0) / (values.length - 1));

  /**
   * Taylor's sums without gradients: the sum of a * dLoss/da over a channel is the derivative of the loss with respect to a
   * scale of the channel, and the output of a ReLU scales with its filter and bias.
   */
  function taylor(): number[][] {
    return layers.map(({ name, level, width: channels }) =>
      Array.from({ length: channels }, (_, c) =>
        Math.abs(
          batches.reduce((total, some) => {
            const lossAt = (scale: number): number =>
              plainLoss(architecture, scaled(trained, name, c, scale), some, targets, size);
            const voxels = (depth * height * width) / 8 ** level;
            return total + (lossAt(1 + 1e-6) - lossAt(1 - 1e-6)) / 2e-6 / (some.length * voxels);
          }, 0),
        ),
      ),
    );
  }
  for (const engine of engines) {
    const scores = async (name: CriterionName): Promise<Scores> =>
      scoresOf(engine, name, 'evaluation', trained);
    it(`has l2, l1 and l1-std of its activations, on ${engine.description.name}`, async () => {
      const norms = byCase((channel) => Math.sqrt(sum(channel.map((a) => a * a))));
      assertScores(await scores('l2'), overBatches(norms, mean), 1e-5);
      const sums = byCase(sum);
      assertScores(await scores('l1'), overBatches(sums, mean), 1e-5);
      assertScores(await scores('l1-std'), overBatches(sums, deviation), 1e-4);
    });
    it(`has taylor by the loss alone, on ${engine.description.name}`, async () => {
      assertScores(await scores('taylor'), taylor(), 1e-4);
    });
  }
  it("has sums of activation times gradient that do not cancel, other than with a batch's statistics", () => {
    const shares = (scoring: Scoring): number[] => {
      const [pass] = passes(scoring, trained) as [ReturnType<typeof passes>[number]];
      return pass.activations.flatMap((activation, l) => {
        const product = tf.mul(activation, pass.atActivations[l] as tf.Tensor);
        const [net, gross] = [tf.sum(product, [0, 1, 2, 3]), tf.sum(tf.abs(product), [0, 1, 2, 3])];
        const [nets, grosses] = [net.arraySync() as number[], gross.arraySync() as number[]];
        return nets.map((value, c) => Math.abs(value) / (grosses[c] as number));
      });
    };
    const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] as number;
    const [evaluation, training] = [median(shares('evaluation')), median(shares('training'))];
    assert.ok(evaluation > 0.2 && evaluation < 0.7, `|sum a g| / sum |a g| is ${evaluation}`);
    assert.ok(training < 0.1, `with batch statistics ${training}`);
  });
});

/** Weights with a filter and its bias scaled, in double precision. */
function scaled(from: Weights, layer: string, channel: number, scale: number): Map<string, Numbers> {
  const changed = new Map<string, Numbers>(from);
  for (const name of [`${layer}.conv.weight`, `${layer}.conv.bias`]) {
    const { shape, data } = tensorOf(from, name);
    const size = data.length / (shape[0] as number);
    const moved = Float64Array.from(data, (w, i) => (Math.floor(i / size) === channel ? scale * w : w));
    changed.set(name, { data: moved });
  }
  return changed;
}

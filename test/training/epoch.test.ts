import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AUGMENTATION_PRESETS } from '../../src/config/augmentation.js';
import { type Network, type Sample } from '../../src/engine/engine.js';
import { DivergedError, dropoutMasks, trainEpoch } from '../../src/training/epoch.js';
import { type Feed, batchCount, feedEpoch, planEpoch } from '../../src/training/feed.js';
import { caseDice, meanDice } from '../../src/training/metrics.js';

const sample = { image: new Float32Array(8), label: new Uint8Array(8) };

const dataset: Feed['dataset'] = {
  sample: () => sample,
  region: () => Promise.reject(new Error('no patches are wanted')),
  positions: () => [],
  grid: () => [2, 2, 2],
  spacing: () => [1, 1, 1],
  channels: ['mr'],
};

/** A network that only counts its steps and returns given losses. */
function scripted(losses: readonly number[]): { network: Network; batches: number[] } {
  const batches: number[] = [];
  const network = {
    trainStep: (batch: readonly unknown[]) => {
      batches.push(batch.length);
      return Promise.resolve(losses[batches.length - 1] as number);
    },
    readWeights: () => Promise.resolve(new Map()),
  } as unknown as Network;
  return { network, batches };
}

const settings = (network: Network, cases: number, batch: number): Parameters<typeof trainEpoch>[0] => ({
  network,
  dataset,
  patch: undefined,
  augmentation: undefined,
  cases: Array.from({ length: cases }, (_, i) => `case_${i}`),
  batch,
  learningRate: 0.01,
  dropout: new Float64Array(3),
  seed: 1,
  key: ['train', 1],
});

describe('an epoch', () => {
  it('drops the last incomplete batch when there is more than one', async () => {
    const { network, batches } = scripted([0.4, 0.2]);
    assert.ok(
      Math.abs((await trainEpoch(settings(network, 7, 3), { batches: 0, lossSum: 0 })) - 0.3) < 1e-12,
    );
    assert.deepEqual(batches, [3, 3]);
    assert.equal(batchCount({ cases: ['a', 'b'], patch: undefined, batch: 16 }), 1);
  });
  it('stops at a loss that is not finite, naming the step and its cases', async () => {
    const { network } = scripted([0.5, Number.NaN]);
    const progress = { batches: 0, lossSum: 0 };
    await assert.rejects(trainEpoch(settings(network, 6, 2), progress), (error: unknown) => {
      assert.ok(error instanceof DivergedError);
      assert.match(error.message, /step 2.*case_\d.*case_\d/);
      return true;
    });
    assert.equal(progress.batches, 1, 'the step does not count');
  });
});

describe('dropout masks', () => {
  it('drop with the rate and scale up what stays', () => {
    const masks = dropoutMasks(2000, Float64Array.of(0, 0.25, 0.5), 3, ['train', 1, 0]);
    const share = (channel: number): number =>
      masks.filter((mask, i) => i % 3 === channel && mask === 0).length / 2000;
    assert.equal(share(0), 0);
    assert.ok(Math.abs(share(1) - 0.25) < 0.04 && Math.abs(share(2) - 0.5) < 0.04);
    assert.deepEqual(new Set(masks), new Set([1, 0, Math.fround(1 / 0.75), 2]));
  });
});

describe('Dice', () => {
  it('is 1 where prediction and truth are empty, and averages cases, then labels', () => {
    const dice = caseDice({
      intersection: Float64Array.of(3, 0),
      predicted: Float64Array.of(4, 0),
      target: Float64Array.of(6, 0),
    });
    assert.deepEqual(dice, [0.6, 1]);
    assert.deepEqual(meanDice([dice, [0.2, 0]]), [0.45, 0.4, 0.5]);
  });
});

describe('the samples of an epoch', () => {
  const feed = (augmentation: Feed['augmentation']): Feed => ({
    dataset: { ...dataset, grid: () => [6, 6, 6], sample: () => made },
    patch: undefined,
    cases: ['a', 'b', 'c', 'd', 'e'],
    batch: 2,
    augmentation,
    seed: 3,
    key: ['train', 2],
  });
  const made = {
    image: Float32Array.from({ length: 216 }, (_, i) => Math.sin(i)),
    label: Uint8Array.from({ length: 216 }, (_, i) => i % 3),
  };
  const { standard } = AUGMENTATION_PRESETS;
  const fed = async (of: Feed, first: number): Promise<Sample[][]> => {
    const all: Sample[][] = [];
    await feedEpoch(of, first, (samples) => Promise.resolve(void all.push([...samples])));
    return all;
  };
  it('are the cases themselves without augmentation', async () => {
    const all = await fed(feed(undefined), 0);
    assert.deepEqual(
      all.map((batch) => batch.length),
      [2, 2],
    );
    assert.ok(all.flat().every((each) => each === made));
  });
  it('are drawn for every place, and the same from whichever batch the epoch goes on', async () => {
    const [first, second] = await fed(feed(standard), 0);
    assert.deepEqual(await fed(feed(standard), 1), [second]);
    assert.notDeepEqual(first, second);
    const drawn = [0, 1].flatMap((batch) => planEpoch(feed(standard))(batch));
    assert.equal(new Set(drawn.map((each) => JSON.stringify(each.drawn))).size, 4);
    assert.notDeepEqual(planEpoch({ ...feed(standard), key: ['train', 3] })(0), drawn.slice(0, 2));
  });
  it('are made for the next batch while a step computes', async () => {
    const events: string[] = [];
    const watched = {
      ...feed(undefined),
      dataset: { ...dataset, sample: () => (events.push('made'), sample) },
    };
    await feedEpoch(watched, 0, async () => {
      events.push('begun');
      await new Promise(setImmediate);
      events.push('ended');
    });
    assert.deepEqual(events, ['made', 'made', 'made', 'made', 'begun', 'ended', 'begun', 'ended']);
  });
  it('fail a step without waiting for the next batch', async () => {
    let calls = 0;
    const broken = {
      ...feed(undefined),
      dataset: {
        ...dataset,
        sample: () => {
          if (++calls > 2) throw new Error('no such case');
          return sample;
        },
      },
    };
    await assert.rejects(
      feedEpoch(broken, 0, () => Promise.reject(new Error('diverged'))),
      /diverged/,
    );
  });
});

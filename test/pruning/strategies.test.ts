import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Architecture, buildArchitecture, listLayers } from '../../src/network/architecture.js';
import { possibleRemovals } from '../../src/network/surgery.js';
import { channelRates, initialRates, rankValueRates } from '../../src/pruning/dropout.js';
import { schedule } from '../../src/pruning/schedule.js';
import { randomInBlock } from '../../src/pruning/strategies/random-in-block.js';
import { random } from '../../src/pruning/strategies/random.js';
import { stamp } from '../../src/pruning/strategies/stamp.js';
import { type Strategy } from '../../src/pruning/strategies/strategy.js';
import { widest } from '../../src/pruning/strategies/widest.js';
import { stream } from '../../src/random.js';

const small: Architecture = {
  inputChannels: 1,
  labels: 1,
  skips: true,
  encoder: [[2, 1], [3]],
  decoder: [[2, 4]],
  up: [2],
};
const scores = [[0.5, 0.4], [0.01], [0.3, 0.3, 0.9], [0.6, 0.7], [0.0, 0.1, 0.2, 0.3]].map((s) =>
  Float64Array.from(s),
);
type Scoring = Extract<Strategy, { scores: true }>;
type Blind = Extract<Strategy, { scores: false }>;

describe('stamp', () => {
  it('takes the lowest score, but never a last channel nor the layer before the head', () => {
    const choice = (stamp as Scoring).choose(small, stream(1), scores);
    assert.equal(choice?.layer.name, 'encoder.1.0');
    assert.equal(choice?.channel, 0, 'of equals the lower index');
    assert.equal(choice?.score, 0.3);
  });
  it('takes the earlier layer of equals', () => {
    const equal = scores.map((layer) => layer.map(() => 0.5));
    assert.equal((stamp as Scoring).choose(small, stream(1), equal)?.layer.name, 'encoder.0.0');
  });
  it('has nothing to take when every prunable layer has one channel', () => {
    const narrow: Architecture = { ...small, encoder: [[1, 1], [1]], decoder: [[1, 4]] };
    const ones = [[1], [1], [1], [1], [1, 1, 1, 1]].map((s) => Float64Array.from(s));
    assert.equal((stamp as Scoring).choose(narrow, stream(1), ones), undefined);
    assert.equal((widest as Blind).choose(narrow, stream(1)), undefined);
    assert.equal((random as Blind).choose(narrow, stream(1)), undefined);
  });
});

describe('random-in-block', () => {
  it("takes any channel of stamp's layer, with its own score", () => {
    const seen = new Map<number, number | undefined>();
    for (let seed = 0; seed < 60; seed++) {
      const choice = (randomInBlock as Scoring).choose(small, stream(seed), scores);
      assert.equal(choice?.layer.name, 'encoder.1.0');
      seen.set(choice?.channel ?? -1, choice?.score);
    }
    assert.deepEqual([...seen].sort(), [
      [0, 0.3],
      [1, 0.3],
      [2, 0.9],
    ]);
  });
});

describe('random', () => {
  it('takes every channel that may go, about equally often', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 3500; seed++) {
      const choice = (random as Blind).choose(small, stream(seed));
      const key = `${choice?.layer.name} ${choice?.channel}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    assert.equal(counts.size, 7);
    for (const [key, count] of counts) assert.ok(Math.abs(count - 500) < 100, `${key}: ${count}`);
  });
});

describe('widest', () => {
  it('takes the widest block, the deepest and then the later layer of equals', () => {
    const order = schedule(
      'widest',
      buildArchitecture({ family: 'unet', n: 2, levels: 3, convs: 2, scale: 1, skips: true }, 1, 1),
      1,
    )
      .slice(0, 9)
      .map(({ removal }) => removal?.layer);
    // Widths are 2 4 8 4 2. The bottleneck is reduced to 4, its layers alternately, the later one first. Then it is as wide as
    // the blocks above and, as the deepest block, is reduced further; then the decoder block of level 1 before the encoder
    // block.
    assert.deepEqual(order, [
      'encoder.2.1',
      'encoder.2.0',
      'encoder.2.1',
      'encoder.2.0',
      'encoder.2.1',
      'encoder.2.0',
      'encoder.2.1',
      'encoder.2.0',
      'encoder.2.1',
    ]);
    const widths = schedule(
      'widest',
      buildArchitecture({ family: 'unet', n: 2, levels: 3, convs: 2, scale: 1, skips: true }, 1, 1),
      1,
    );
    assert.equal(widths[9]?.removal?.layer, 'decoder.1.1');
    assert.equal(widths[10]?.removal?.layer, 'encoder.1.1');
  });
  it('compares blocks by the layers that can be pruned', () => {
    // The layer before the head has nine channels and keeps them; all others have two.
    const wideEnd: Architecture = {
      ...small,
      encoder: [
        [2, 2],
        [2, 2],
      ],
      decoder: [[2, 9]],
    };
    const order = schedule('widest', wideEnd, 1).map(({ removal }) => removal?.layer);
    assert.deepEqual(order, [
      'encoder.1.1',
      'decoder.0.0',
      'encoder.0.1',
      'encoder.1.0',
      'encoder.0.0',
      undefined,
    ]);
  });
  it("takes at each step from a block that none exceeds, in the paper's Unet", () => {
    const start = buildArchitecture(
      { family: 'unet', n: 4, levels: 5, convs: 2, scale: 1, skips: true },
      1,
      1,
    );
    for (const { architecture, removal } of schedule('widest', start, 1)) {
      const blocks = new Map<string, number[]>();
      for (const { side, level, width, prunable } of listLayers(architecture))
        if (prunable) blocks.set(`${side}.${level}`, [...(blocks.get(`${side}.${level}`) ?? []), width]);
      const mean = (widths: number[]): number => widths.reduce((a, b) => a + b, 0) / widths.length;
      const widest = Math.max(...[...blocks.values()].map(mean));
      const from = removal?.layer.replace(/\.\d+$/, '');
      assert.equal(from === undefined ? 1 : mean(blocks.get(from) as number[]), widest);
    }
  });
  it('ends with one channel in every prunable layer', () => {
    const start = buildArchitecture(
      { family: 'unet', n: 4, levels: 4, convs: 3, scale: 1, skips: true },
      1,
      1,
    );
    const steps = schedule('widest', start, 2);
    assert.equal(steps.length, possibleRemovals(start) + 1);
    const last = listLayers(steps.at(-1)?.architecture as Architecture);
    assert.ok(last.every(({ prunable, width }) => !prunable || width === 1));
  });
  it('has no schedule for strategies that need scores', () => {
    assert.throws(() => schedule('stamp', small, 1), /depends on scores/);
  });
});

describe('targeted dropout', () => {
  const layers = listLayers(small);
  it('ranks the channels of prunable layers, the one about to go included, from their number less one to 0', () => {
    // Ascending: 0.01 (layer 1), 0.3 0.3 (layer 2), 0.4 0.5 (layer 0), 0.6 0.7 (layer 3), 0.9 (layer 2), with ranks 7 6 5 4
    // 3 2 1 0. Means by layer: 7/2, 7, 11/3, 3/2. The last layer has the lowest scores, but is not ranked.
    const rates = rankValueRates(layers, scores, 0.07);
    for (const [i, rate] of [0.035, 0.07, 0.11 / 3, 0.015, 0].entries())
      assert.ok(
        Math.abs((rates[i] as number) - rate) < 1e-12,
        `layer ${i}: found ${rates[i]}, expected ${rate}`,
      );
  });
  it('is 0 for a layer whose one channel ranks last, the base for the layer with the largest mean', () => {
    const narrow: Architecture = { ...small, encoder: [[1, 1], [1]], decoder: [[2, 1]] };
    const ranked = [[0.9], [0.2], [0.3], [0.1, 0.8], [0.5]].map((s) => Float64Array.from(s));
    // Ascending: 0.1 (layer 3), 0.2 (1), 0.3 (2), 0.8 (3), 0.9 (0), ranks 4 to 0: means 0, 3, 2, 5/2.
    assert.deepEqual(
      rankValueRates(listLayers(narrow), ranked, 0.3).map((rate) => Number(rate.toFixed(12))),
      [0, 0.3, 0.2, 0.25, 0],
    );
  });
  it('begins with one rate for every layer but the last', () => {
    assert.deepEqual(initialRates(layers, 0.005), [0.005, 0.005, 0.005, 0.005, 0]);
    assert.deepEqual([...channelRates([0.1, 0.2], [2, 1])], [0.1, 0.1, 0.2]);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Architecture, buildArchitecture, listLayers } from '../../src/network/architecture.js';
import { possibleRemovals } from '../../src/network/surgery.js';
import { channelRates, rankValueRates } from '../../src/pruning/dropout.js';
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
    // Widths are 2 4 8 4 2. The bottleneck comes down to 4, its layers in turn, the later one first; then it ties with
    // the blocks above and, being the deepest, goes on; then the decoder's block of level 1 before the encoder's.
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
  it('gives ranks counting down, averaged by layer, over the largest', () => {
    // Ascending: 0.1 (layer 0), 0.2 (layer 1), 0.3 (layer 1), 0.4 (layer 0), 0.5 (layer 2): ranks 5 4 3 2 1.
    const rates = rankValueRates(
      [[0.1, 0.4], [0.2, 0.3], [0.5]].map((s) => Float64Array.from(s)),
      0.05,
    );
    // Means 3.5, 3.5, 1.
    assert.deepEqual(
      rates.map((rate) => Number(rate.toFixed(6))),
      [0.05, 0.05, Number((0.05 / 3.5).toFixed(6))],
    );
    assert.deepEqual([...channelRates([0.1, 0.2], [2, 1])], [0.1, 0.1, 0.2]);
  });
});

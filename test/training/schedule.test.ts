import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { learningRateAt } from '../../src/training/schedule.js';

const base = { learningRate: 0.5, schedule: 'cooldown', cooldown: 0, warmup: 0 } as const;
const rates = (settings: Partial<Parameters<typeof learningRateAt>[0]>, epochs: number): number[] =>
  Array.from({ length: epochs }, (_, i) => learningRateAt({ ...base, ...settings }, i + 1, epochs));

describe('the learning rate', () => {
  it('is constant by default and falls linearly over the cool-down', () => {
    assert.deepEqual(rates({}, 3), [0.5, 0.5, 0.5]);
    assert.deepEqual(rates({ schedule: 'constant' }, 3), [0.5, 0.5, 0.5]);
    assert.deepEqual(rates({ cooldown: 0.75 }, 4), [0.5, 0.375, 0.25, 0.125]);
  });

  it('follows the polynomial of nnU-Net', () => {
    // PolyLRScheduler: initial_lr * (1 - step / max_steps) ** 0.9, steps from 0.
    assert.deepEqual(
      rates({ schedule: 'poly' }, 4).map((rate) => rate.toFixed(9)),
      ['0.500000000', '0.385944753', '0.267943366', '0.143587294'],
    );
  });

  it('follows the cosine of PyTorch', () => {
    // CosineAnnealingLR with T_max 4: 1, (1 + sqrt(1/2)) / 2, 1/2, (1 - sqrt(1/2)) / 2.
    const expected = [0.5, 0.42677669529663687, 0.25, 0.07322330470336313];
    for (const [i, rate] of rates({ schedule: 'cosine' }, 4).entries())
      assert.ok(Math.abs(rate - (expected[i] as number)) < 1e-15);
  });

  it('rises linearly in the warm-up; the schedule begins at its top', () => {
    const expected = rates({ schedule: 'poly' }, 4);
    const found = rates({ schedule: 'poly', warmup: 3 }, 7);
    assert.deepEqual(found.slice(0, 3), [0.125, 0.25, 0.375]);
    assert.deepEqual(found.slice(3), expected);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { foregroundPositions } from '../../../src/data/store/foreground.js';

describe('positions of foreground', () => {
  const targets = new Uint32Array(256);
  targets.set([0, 0b01, 0b11]); // index 2 belongs to both outputs
  const label = Uint8Array.from({ length: 3000 }, (_, i) => (i % 10 === 0 ? 1 : i % 25 === 7 ? 2 : 0));

  it('are all of an output where they are few, merged and overlapping ones included', () => {
    const found = foregroundPositions(label, targets, 3, 1000);
    const where = (test: (index: number) => boolean): number[] =>
      [...label.keys()].filter((i) => test(label[i] as number));
    assert.deepEqual([...(found[0] as Uint32Array)], where((index) => index > 0)); // prettier-ignore
    assert.deepEqual([...(found[1] as Uint32Array)], where((index) => index === 2)); // prettier-ignore
    assert.equal(found[2]?.length, 0, 'no voxel has this output');
  });
  it('are drawn evenly where they are many, none twice, always the same', () => {
    const [all] = foregroundPositions(label, targets, 1, 1000) as [Uint32Array];
    const [some] = foregroundPositions(label, targets, 1, 50) as [Uint32Array];
    assert.equal(new Set(some).size, 50);
    assert.ok(some.every((position) => all.includes(position)));
    for (const [i, position] of some.entries()) {
      const rank = all.indexOf(position);
      // One of each fiftieth of the list.
      assert.ok(rank >= Math.floor((i * all.length) / 50) && rank < Math.floor(((i + 1) * all.length) / 50));
    }
    assert.deepEqual(foregroundPositions(label, targets, 1, 50), [some]);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Extent } from '../../src/data/preprocess.js';
import { type Sample } from '../../src/engine/engine.js';
import { regionOf } from '../../src/data/store/region.js';
import { augmentationSettings } from '../../src/config/augmentation.js';
import { type Feed, feedEpoch, makeSample, planPass } from '../../src/training/feed.js';

type Patch = NonNullable<Feed['patch']>;

/** A case whose voxels count up from 1, with label 1 at given positions. */
function made(size: Extent, positions: readonly number[]) {
  const voxels = size[0] * size[1] * size[2];
  const image = Float32Array.from({ length: voxels }, (_, i) => i + 1);
  const label = Uint8Array.from({ length: voxels }, (_, i) => Number(positions.includes(i)));
  return { size, image, label, positions: [Uint32Array.from(positions), new Uint32Array()] };
}

const known = new Map([
  ['a', made([9, 8, 7], [0])],
  ['b', made([9, 8, 7], [9 * 8 * 7 - 1])],
  ['small', made([3, 8, 2], [5])],
  ['empty', made([9, 8, 7], [])],
]);

function feedOf(patch: Partial<Patch> | undefined, batch = 2, more: Partial<Feed> = {}): Feed {
  const found = (id: string) => known.get(id) as ReturnType<typeof made>;
  return {
    dataset: {
      sample: (id) => found(id),
      region: (id, start, size) => Promise.resolve(regionOf(found(id), found(id).size, start, size)),
      positions: (id) => found(id).positions,
      grid: (id) => found(id).size,
      spacing: () => [1, 1, 1],
      channels: ['image'],
    },
    patch: patch && { size: [4, 4, 4], foreground: 0.33, ...patch },
    augmentation: undefined,
    cases: ['a', 'b'],
    batch,
    seed: 3,
    key: ['train', 1],
    ...more,
  };
}

interface Fed {
  readonly ids: readonly string[];
  readonly samples: readonly Sample[];
}

async function all(feed: Feed, first = 0): Promise<Fed[]> {
  const batches: Fed[] = [];
  await feedEpoch(feed, first, (samples, planned) => {
    batches.push({ ids: planned.map(({ id }) => id), samples });
    return Promise.resolve();
  });
  return batches;
}

describe('batches of whole cases', () => {
  it('have the cases of the dataset, not copied, each once in an order of its own', async () => {
    const batches = await all(feedOf(undefined, 1));
    assert.deepEqual(batches.map(({ ids }) => ids[0]).sort(), ['a', 'b']);
    for (const { ids, samples } of batches) assert.equal(samples[0], known.get(ids[0] as string));
  });
});

describe('batches of patches', () => {
  it('take every case as often as the others', async () => {
    const count = async (patch: Partial<Patch>) => {
      const ids = (await all(feedOf(patch, 1))).flatMap((batch) => batch.ids);
      return ['a', 'b'].map((id) => ids.filter((each) => each === id).length);
    };
    assert.deepEqual(await count({}), [1, 1]);
    assert.deepEqual(await count({ perCase: 5 }), [5, 5]);
    assert.deepEqual(await count({ perEpoch: 6 }), [3, 3]);
  });
  it('are the same for the same key, from whichever batch on, and differ for another', async () => {
    const once = await all(feedOf({ perCase: 6 }));
    assert.equal(once.length, 6);
    assert.deepEqual(await all(feedOf({ perCase: 6 }), 4), once.slice(4));
    assert.notDeepEqual(await all(feedOf({ perCase: 6 }, 2, { key: ['train', 2] })), once);
  });
  for (const batch of [1, 2, 3])
    it(`have their share of foreground in batches of ${batch}`, async () => {
      // No patch is at the corner voxel with the label by chance, which is one place in 120.
      const batches = await all(feedOf({ perEpoch: 300, foreground: 0.4 }, batch));
      const withLabel = batches.map(
        ({ samples }) => samples.filter(({ label }) => label.some((index) => index === 1)).length,
      );
      const sum = withLabel.reduce((a, b) => a + b, 0);
      assert.ok(sum >= 120 && sum < 132, `${sum} of 300`);
      if (batch === 3)
        assert.ok(
          withLabel.every((n) => n >= 1),
          'one in every batch',
        );
    });
  it('lie at every place, within the volume', async () => {
    const batches = await all(feedOf({ perEpoch: 2000, foreground: 0 }, 1));
    const first = batches.map(({ samples }) => (samples[0]?.image[0] as number) - 1);
    assert.ok(batches.every(({ samples }) => samples[0]?.image.every((voxel) => voxel > 0)));
    assert.equal(new Set(first).size, 6 * 5 * 4);
  });
  it('have a smaller volume in their middle', async () => {
    const [{ samples }] = (await all(feedOf({ foreground: 1 }, 1, { cases: ['small'] }))) as [Fed];
    const { image, label } = samples[0] as { image: Float32Array; label: Uint8Array };
    // 3 of 4 voxels along x, 2 of 4 along z: nothing before along x, one plane before along z.
    const plane = (z: number) => [...image.subarray(z * 16, z * 16 + 16)];
    assert.deepEqual([plane(0), plane(3)], [Array(16).fill(0), Array(16).fill(0)]);
    assert.ok(plane(1).every((voxel, i) => (i % 4 === 3 ? voxel === 0 : voxel > 0)));
    assert.equal(
      label.reduce((sum, index) => sum + index, 0),
      1,
    );
  });
  it('lie anywhere in a case without foreground', async () => {
    const [{ samples }] = (await all(feedOf({ foreground: 1 }, 1, { cases: ['empty'] }))) as [Fed];
    assert.equal(samples[0]?.label.length, 64);
  });
  it('are turned with voxels from outside of the patch', async () => {
    const straight = feedOf({ foreground: 0, perEpoch: 20 }, 1, { cases: ['a'] });
    const rotation = { probability: 1, degrees: 45 };
    const augmentation = augmentationSettings({ augmentation: { preset: 'none', rotation } });
    const [batches, plain] = [await all({ ...straight, augmentation }), await all(straight)];
    // The corner of a patch in the middle of the volume shows a voxel that the patch does not have.
    assert.ok(
      batches.some(({ samples }, i) => {
        const own = new Set(plain[i]?.samples[0]?.image);
        return [...(samples[0]?.image ?? [])].some((voxel) => voxel > Math.max(...own));
      }),
    );
  });
});

describe('batches for scoring', () => {
  it('have one patch of every case, the last batch too, the same ones every time', async () => {
    const three = feedOf({}, 2, { cases: ['a', 'b', 'empty'], key: ['score'] });
    const plan = planPass(three);
    assert.deepEqual(
      plan.map((batch) => batch.map(({ id }) => id)),
      [['a', 'b'], ['empty']],
    );
    assert.deepEqual(planPass(three), plan);
    const { label } = await makeSample(three, (plan[1] as (typeof plan)[number])[0] as { id: string });
    assert.equal(label.length, 64);
  });
});

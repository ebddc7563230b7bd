import assert from 'node:assert/strict';
import { test } from 'node:test';
import { augment, augmentNatively } from '../../src/augmentation/augment.js';
import {
  drawAugmentation,
  IDENTITY,
  type DrawnAugmentation,
  type IntensityStep,
} from '../../src/augmentation/draw.js';
import { gaussianWeights } from '../../src/augmentation/gaussian.js';
import { augmentSlowly } from '../../src/augmentation/oracle.js';
import { type Region, sourceRegion } from '../../src/augmentation/region.js';
import { AUGMENTATION_PRESETS } from '../../src/config/augmentation.js';
import { type Extent } from '../../src/data/preprocess.js';
import { loadAddon } from '../../src/engine/native/loader.js';
import { loadNativeAugment, type NativeAugment } from '../../src/engine/native/augment.js';
import { stream } from '../../src/random.js';

const { addon } = loadAddon();
const skip = addon ? false : 'no native engine is built';

function madeRegion(box: { start: Extent; size: Extent }, channels: number): Region {
  const random = stream(5, 'region', ...box.size);
  const count = box.size[0] * box.size[1] * box.size[2];
  return {
    ...box,
    channels,
    image: Float32Array.from({ length: channels * count }, () => random.normal()),
    label: Uint8Array.from({ length: count }, () => random.integer(5)),
  };
}

async function same(region: Region, patch: Extent, drawn: DrawnAugmentation): Promise<void> {
  const wanted = augmentSlowly(region, patch, drawn);
  for (const isa of addon?.instructionSets() ?? []) {
    const found = await augmentNatively(loadNativeAugment(isa) as NativeAugment, region, patch, drawn);
    assert.deepEqual(found.label, wanted.label, isa);
    // By bits: -0 is not 0.
    const different = new Uint32Array(found.image.buffer).findIndex(
      (bits, at) => bits !== new Uint32Array(wanted.image.buffer)[at],
    );
    assert.equal(
      different,
      -1,
      `${isa}, voxel ${different}: ${found.image[different]}, ${wanted.image[different]}`,
    );
  }
}

test('without any change a sample is its region', async () => {
  const size = [3, 2, 2] as const;
  const image = Float32Array.from({ length: 12 }, (_, i) => i);
  const label = Uint8Array.from({ length: 12 }, (_, i) => i % 3);
  const region = { start: [0, 0, 0], size, channels: 1, image, label } as const;
  assert.deepEqual(await augment(region, size, { matrix: IDENTITY, channels: [[]] }), { image, label });
});

const steps: readonly IntensityStep[] = [
  { kind: 'noise', deviation: 0.1, seed: [4_000_000_000, 7] },
  { kind: 'blur', weights: gaussianWeights(0.5) },
  { kind: 'blur', weights: gaussianWeights(3) },
  { kind: 'brightness', factor: 0.8 },
  { kind: 'contrast', factor: 1.2 },
  { kind: 'contrast', factor: 0.75 },
  { kind: 'lowResolution', scale: 0.55 },
  { kind: 'lowResolution', scale: 0.1 },
  { kind: 'gamma', exponent: 0.7, inverted: false },
  { kind: 'gamma', exponent: 1.5, inverted: true },
];

test('every step is the same to the bit on every instruction set as in JavaScript', { skip }, async () => {
  for (const patch of [
    [37, 5, 6],
    [1, 1, 1],
    [16, 4, 1],
    [3, 40, 2],
  ] as const) {
    const region = madeRegion({ start: [0, 0, 0], size: patch }, 2);
    for (const step of steps) await same(region, patch, { matrix: IDENTITY, channels: [[], [step]] });
  }
});

test('so are maps, where the region is too small and where it is too large', { skip }, async () => {
  const matrix = [0.93, 0.21, -0.13, -0.24, 1.17, 0.11, 0.12, 0.05, 0.81];
  const patch = [35, 9, 6] as const;
  const { start, size } = sourceRegion(patch, { matrix });
  const larger = { start: start.map((each) => each - 2), size: size.map((each) => each + 5) };
  const smaller = { start: start.map((each) => each + 4), size: size.map((each) => each - 7) };
  for (const box of [{ start, size }, larger, smaller] as unknown as { start: Extent; size: Extent }[])
    for (const turned of [matrix, [-1, 0, 0, 0, 1, 0, 0, 0, 1], IDENTITY])
      await same(madeRegion(box, 2), patch, { matrix: turned, channels: [[], []] });
});

test('so are whole augmentations', { skip }, async () => {
  const patch = [20, 18, 16] as const;
  const settings = { ...AUGMENTATION_PRESETS.standard, mirror: ['x'] as const };
  for (let i = 0; i < 12; i++) {
    const drawn = drawAugmentation(settings, { spacing: [1, 1, 2.5], channels: 2 }, stream(1, 'drawn', i));
    await same(madeRegion(sourceRegion(patch, drawn), 2), patch, drawn);
  }
});

test('malformed lists are refused', { skip }, async () => {
  const compute = loadNativeAugment() as NativeAugment;
  const sample = { image: new Float32Array(8), label: new Uint8Array(8) };
  const geometry = Float64Array.of(2, 2, 2, 0, 0, 0, 2, 2, 2, 1, ...IDENTITY);
  const bad = [[0], [9, 0, 1, 1], [0, 1, 3, 1, 1, 1], [0, 0, 2, 1, 1], [2, 0, 4, 1], [2, 0, 0]];
  for (const list of bad)
    await assert.rejects(
      compute({ geometry, steps: Float64Array.from(list) }, sample, sample),
      /steps are malformed/,
    );
  const none = new Float64Array();
  for (const [at, value] of [
    [0, 0],
    [3, 0.5],
    [6, -1],
    [9, 0],
    [12, Number.NaN],
  ] as const)
    await assert.rejects(
      compute({ geometry: geometry.with(at, value), steps: none }, sample, sample),
      /geometry/,
    );
  await assert.rejects(
    compute({ geometry, steps: none }, { ...sample, label: new Uint8Array(7) }, sample),
    /label/,
  );
});

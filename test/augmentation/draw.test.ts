import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawAugmentation, IDENTITY, type DrawnAugmentation } from '../../src/augmentation/draw.js';
import { sourceRegion } from '../../src/augmentation/region.js';
import { AUGMENTATION_PRESETS, augmentationSettings } from '../../src/config/augmentation.js';
import { stream } from '../../src/random.js';

const { standard } = AUGMENTATION_PRESETS;
const even = { spacing: [1, 1, 1], channels: 1 } as const;

function draw(
  count: number,
  settings = standard,
  drawing: { spacing: readonly [number, number, number]; channels: number } = even,
): DrawnAugmentation[] {
  return Array.from({ length: count }, (_, i) =>
    drawAugmentation(settings, drawing, stream(1, 'augmentation', i)),
  );
}

test('equal keys draw equal numbers, different ones others', () => {
  assert.deepEqual(draw(20), draw(20));
  assert.ok(new Set(draw(20).map((drawn) => JSON.stringify(drawn))).size > 10);
});

test('a preset with everything at probability 0 asks for nothing', () => {
  assert.equal(augmentationSettings({ augmentation: 'none' }), undefined);
  assert.equal(augmentationSettings({ augmentation: { preset: 'none' } }), undefined);
  const settings = augmentationSettings({
    augmentation: { preset: 'none', gamma: { probability: 0.5 }, rotation: { probability: 1, degrees: 5 } },
  });
  assert.deepEqual(settings?.gamma, { probability: 0.5, range: [0.7, 1.5] });
  assert.deepEqual(settings.rotation, { probability: 1, degrees: [5, 5, 5] });
  assert.equal(settings.noise.probability, 0);
});

test('steps are drawn as often as their probabilities say', () => {
  const all = draw(4000);
  const share = (of: (drawn: DrawnAugmentation) => boolean): number => all.filter(of).length / all.length;
  const has = (kind: string, inverted?: boolean) => (drawn: DrawnAugmentation) =>
    drawn.channels[0]?.some(
      (step) => step.kind === kind && (step.kind !== 'gamma' || step.inverted === inverted),
    ) ?? false;
  const close = (found: number, wanted: number): void =>
    assert.ok(Math.abs(found - wanted) < 0.025, `${found} where ${wanted} was expected`);
  close(
    share(({ matrix }) => matrix.join() !== IDENTITY.join()),
    1 - 0.8 * 0.8,
  );
  close(share(has('noise')), 0.1);
  close(share(has('blur')), 0.2);
  close(share(has('brightness')), 0.15);
  close(share(has('contrast')), 0.15);
  close(share(has('lowResolution')), 0.25);
  close(share(has('gamma', true)), 0.1);
  close(share(has('gamma', false)), 0.3);
});

test('a factor whose range has both sides of 1 is below 1 half of the time', () => {
  const factors = draw(2000, { ...standard, brightness: { probability: 1, range: [0.5, 5] } }).map(
    ({ channels }) =>
      channels[0]?.find(({ kind }) => kind === 'brightness') as { factor: number } | undefined,
  );
  const below = factors.filter((step) => (step?.factor ?? 2) < 1).length;
  assert.ok(Math.abs(below / 2000 - 0.5) < 0.04, String(below));
  assert.ok(factors.every((step) => step && step.factor >= 0.5 && step.factor <= 5));
});

test('rotations keep lengths and handedness in mm, whatever the spacing', () => {
  const turning = {
    ...AUGMENTATION_PRESETS.none,
    rotation: { probability: 1, degrees: [40, 80, 180] as const },
  };
  const spacing = [0.5, 1, 3] as const;
  for (const { matrix } of draw(50, turning, { spacing, channels: 1 })) {
    const mm = matrix.map(
      (value, at) => (value * (spacing[Math.floor(at / 3)] as number)) / (spacing[at % 3] as number),
    );
    const dot = (a: number, b: number): number =>
      [0, 1, 2].reduce((sum, k) => sum + (mm[k * 3 + a] as number) * (mm[k * 3 + b] as number), 0);
    for (const a of [0, 1, 2])
      for (const b of [0, 1, 2]) assert.ok(Math.abs(dot(a, b) - (a === b ? 1 : 0)) < 1e-7);
    const [p, q, r, s, t, u, v, w, x] = mm as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    assert.ok(Math.abs(p * (t * x - u * w) - q * (s * x - u * v) + r * (s * w - t * v) - 1) < 1e-7);
  }
});

test('things become as many times larger as scaling says', () => {
  const twice = { ...AUGMENTATION_PRESETS.none, scaling: { probability: 1, range: [2, 2] as const } };
  const [drawn] = draw(1, twice, { spacing: [1, 2, 3], channels: 2 }) as [DrawnAugmentation];
  assert.deepEqual(drawn.matrix, [0.5, 0, 0, 0, 0.5, 0, 0, 0, 0.5]);
  assert.equal(drawn.channels.length, 2);
});

test('mirroring turns half of the samples around, along the named axes only', () => {
  const mirrored = { ...AUGMENTATION_PRESETS.none, mirror: ['x', 'z'] as const };
  const all = draw(400, mirrored).map(({ matrix }) => [matrix[0], matrix[4], matrix[8]].join());
  assert.deepEqual([...new Set(all)].sort(), ['-1,1,-1', '-1,1,1', '1,1,-1', '1,1,1']);
  assert.ok(Math.abs(all.filter((each) => each.startsWith('-1')).length - 200) < 50);
});

test('the region of a sample holds every voxel that it may show, and no more than needed', () => {
  const patch = [9, 6, 4] as const;
  assert.deepEqual(sourceRegion(patch, { matrix: IDENTITY }), { start: [0, 0, 0], size: patch });
  // x shows y and the other way round: a patch that is longer than the source along x.
  const { start, size } = sourceRegion(patch, { matrix: [0, -1, 0, 1, 0, 0, 0, 0, 1] });
  assert.deepEqual(start, [1, -2, -1]);
  assert.deepEqual(size, [7, 10, 6]);
});

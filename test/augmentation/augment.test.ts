import assert from 'node:assert/strict';
import { test } from 'node:test';
import { augment } from '../../src/augmentation/augment.js';
import { IDENTITY } from '../../src/augmentation/draw.js';

test('without any change a sample is its region', async () => {
  const size = [3, 2, 2] as const;
  const image = Float32Array.from({ length: 12 }, (_, i) => i);
  const label = Uint8Array.from({ length: 12 }, (_, i) => i % 3);
  const region = { start: [0, 0, 0], size, channels: 1, image, label } as const;
  assert.deepEqual(await augment(region, size, { matrix: IDENTITY, channels: [[]] }), { image, label });
});

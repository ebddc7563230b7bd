import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, inflateSync } from 'node:zlib';
import { drawPlanes, planesSize } from '../../src/preview/planes.js';
import { encodePng } from '../../src/preview/png.js';
import { describeDrawn } from '../../src/preview/samples.js';
import { drawSheet } from '../../src/preview/sheet.js';

test('a PNG holds its pixels, and every chunk its check', () => {
  const pixels = Uint8Array.from({ length: 3 * 5 * 4 }, (_, i) => i * 4);
  const png = encodePng(5, 4, pixels);
  const found = new Map<string, Buffer>();
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    assert.equal(png.readUInt32BE(at + 8 + length), crc32(png.subarray(at + 4, at + 8 + length)), type);
    found.set(type, png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  assert.deepEqual([...found.keys()], ['IHDR', 'IDAT', 'IEND']);
  assert.deepEqual([...(found.get('IHDR') as Buffer)], [0, 0, 0, 5, 0, 0, 0, 4, 8, 2, 0, 0, 0]);
  const rows = inflateSync(found.get('IDAT') as Buffer);
  for (let y = 0; y < 4; y++)
    assert.deepEqual([...rows.subarray(16 * y, 16 * y + 16)], [0, ...pixels.subarray(15 * y, 15 * y + 15)]);
});

test('planes lie through the middle of the label, with its outline, y and z up', () => {
  const size = [5, 4, 3] as const;
  const at = (x: number, y: number, z: number): number => (z * 4 + y) * 5 + x;
  const label = new Uint8Array(60);
  // One voxel of each of two labels, side by side along y.
  label[at(3, 1, 2)] = 1;
  label[at(3, 2, 2)] = 2;
  const image = Float32Array.from({ length: 60 }, (_, i) => (i === at(0, 3, 2) ? 1 : 0));
  const { width, height, pixels } = drawPlanes({ image, label }, size, 1);
  assert.deepEqual({ width, height }, planesSize(size, 1));
  assert.deepEqual({ width, height }, { width: 5 + 2 + 5 + 2 + 4, height: 4 });
  const pixel = (u: number, v: number): number[] => [
    ...pixels.subarray(3 * (v * width + u), 3 * (v * width + u) + 3),
  ];
  const [orange, blue] = [
    [0xe6, 0x9f, 0x00],
    [0x56, 0xb4, 0xe9],
  ];
  // Across z: y = 3 is the first row.
  assert.deepEqual(pixel(0, 0), [255, 255, 255], 'the bright voxel');
  assert.deepEqual(pixel(3, 1), blue);
  assert.deepEqual(pixel(3, 2), orange);
  // Across y, which is 2 in the middle: z = 2 is the first row. Across x: y runs to the right.
  assert.deepEqual(pixel(7 + 3, 0), blue);
  assert.deepEqual(pixel(14 + 1, 0), orange);
  assert.deepEqual(pixel(14 + 2, 0), blue);
  assert.deepEqual(pixel(1, 3), [0, 0, 0], 'background');
});

test('a sheet is a PNG with room for all samples', () => {
  const sample = { image: Float32Array.from({ length: 27 }, (_, i) => i), label: new Uint8Array(27) };
  const shown = Array.from({ length: 7 }, (_, i) => ({ title: `case <${i}>`, detail: 'as it is', sample }));
  const png = Buffer.from(drawSheet(shown, [3, 3, 3]));
  assert.equal(png.toString('latin1', 1, 4), 'PNG');
  // Five columns of three planes of 96 pixels, two rows.
  assert.deepEqual(
    [png.readUInt32BE(16), png.readUInt32BE(20)],
    [16 + 5 * (292 + 16), 16 + 2 * (96 + 34 + 16)],
  );
});

test('what was drawn is said in words', () => {
  const none = { channels: [[]] };
  assert.equal(describeDrawn({ matrix: [1, 0, 0, 0, 1, 0, 0, 0, 1], ...none }), 'as it is');
  assert.equal(
    describeDrawn({ matrix: [-0.5, 0, 0, 0, 0.5, 0, 0, 0, -0.5], ...none }),
    'size 2.00, mirrored x, mirrored z',
  );
  assert.equal(
    describeDrawn({
      matrix: [0, -1, 0, 1, 0, 0, 0, 0, 1],
      channels: [
        [{ kind: 'noise', deviation: 0.05, seed: [1, 2] }],
        [{ kind: 'gamma', exponent: 1.2, inverted: true }],
      ],
    }),
    'turned, noise 0.05; inverted gamma 1.20',
  );
});

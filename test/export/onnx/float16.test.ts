import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { float16Bits, isFloat16 } from '../../../src/export/onnx/float16.js';
import { fromHalf } from './read.js';

test('every half-precision number is its own', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = fromHalf(bits);
    if (Number.isNaN(value)) assert.equal(Number.isNaN(fromHalf(float16Bits(value))), true);
    else assert.equal(float16Bits(value), bits);
    assert.equal(isFloat16(value), Number.isFinite(value));
  }
});

test('half-way between two neighbours, the even one; beside it, the nearer one', () => {
  for (let bits = 0; bits < 0x7bff; bits++) {
    const middle = (fromHalf(bits) + fromHalf(bits + 1)) / 2;
    assert.equal(float16Bits(middle), bits + (bits & 1), `between ${bits} and the next`);
    assert.equal(float16Bits(middle * (1 + 2 ** -50)), bits + 1);
    assert.equal(float16Bits(-middle * (1 - 2 ** -50)), 0x8000 | bits);
  }
});

test('any number becomes the nearest one, or infinite from 65520 on', () => {
  const all = Array.from({ length: 0x7c00 }, (_, bits) => fromHalf(bits));
  fc.assert(
    fc.property(fc.double({ min: 0, max: 65519.99, noNaN: true }), (value) => {
      const distance = Math.abs(fromHalf(float16Bits(value)) - value);
      const above = all.findIndex((each) => each >= value);
      const near = [all[above - 1] ?? 0, all[above] ?? 65504];
      assert.equal(distance, Math.min(...near.map((each) => Math.abs(each - value))));
    }),
    { seed: 1, numRuns: 200 },
  );
  for (const value of [65520, 1e6, Infinity]) assert.equal(float16Bits(-value), 0xfc00);
  assert.equal(isFloat16(65519), true);
  assert.equal(isFloat16(65520), false);
});

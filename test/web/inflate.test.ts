// What browsers inflate and deflate with, against Node.js' zlib.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { deflate, inflater } from '../../src/web/inflate.js';

const bytes = Uint8Array.from({ length: 300_001 }, (_, i) => (i * i) >> 7);
const gzip = gzipSync(bytes);

it('inflates a stream, or its start', async () => {
  const all = await inflater.all(gzip, bytes.length, bytes.length);
  assert.deepEqual(all.bytes, bytes);
  assert.equal(all.found, bytes.length);
  assert.deepEqual(await inflater.start(gzip, 544), bytes.subarray(0, 544));
  assert.deepEqual(await inflater.start(gzipSync(bytes.subarray(0, 10)), 544), bytes.subarray(0, 10));
});

it('keeps the first bytes and counts the others', async () => {
  const { bytes: kept, found } = await inflater.all(gzip, 1000, bytes.length);
  assert.deepEqual(kept, bytes.subarray(0, 1000));
  assert.equal(found, bytes.length);
});

it('stops where a few kilobytes stand for much more', async () => {
  const bomb = gzipSync(new Uint8Array(100_000_000));
  const { found } = await inflater.all(bomb, 1000, 1000);
  assert.ok(found > 1000 && found < 10_000_000, String(found));
});

it('rejects streams that are damaged or truncated', async () => {
  const flipped = Uint8Array.from(gzip, (byte, i) => (i === gzip.length - 6 ? byte ^ 1 : byte));
  await assert.rejects(inflater.all(flipped, bytes.length, bytes.length), 'checksum');
  await assert.rejects(inflater.all(gzip.subarray(0, -1000), bytes.length, bytes.length), 'truncated');
});

it('deflates what zlib inflates', async () => {
  const packed = await deflate([bytes.subarray(0, 352), bytes.subarray(352)]);
  assert.deepEqual(new Uint8Array(gunzipSync(packed)), bytes);
});

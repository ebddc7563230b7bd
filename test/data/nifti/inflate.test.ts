import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { crc32 } from './crc32.js';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { compressedBytes } from '../../../src/data/nifti/gzip.js';
import { inflateAll, inflateStart } from '../../../src/data/nifti/inflate.js';
import { readNifti } from '../../../src/data/nifti/read.js';
import { volumeBytes } from '../volumes.js';

const folder = mkdtempSync(join(tmpdir(), 'lunet-gzip-'));
after(() => rmSync(folder, { recursive: true }));

interface Header {
  readonly name?: string;
  readonly comment?: string;
  readonly extra?: number;
  readonly checksum?: boolean;
}

/** One member of a gzip stream by RFC 1952, with any header. */
function member(data: Uint8Array, { name, comment, extra, checksum }: Header = {}): Buffer {
  const flags =
    (checksum ? 2 : 0) |
    (extra === undefined ? 0 : 4) |
    (name === undefined ? 0 : 8) |
    (comment === undefined ? 0 : 16);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(extra ?? 0);
  const header = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]),
    ...(extra === undefined ? [] : [length, Buffer.alloc(extra, 1)]),
    ...[name, comment].flatMap((text) => (text === undefined ? [] : [Buffer.from(`${text}\0`, 'latin1')])),
  ]);
  const sum = Buffer.alloc(2);
  sum.writeUInt16LE(crc32(header) & 0xffff);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(data));
  trailer.writeUInt32LE(data.length % 2 ** 32, 4);
  return Buffer.concat([header, ...(checksum ? [sum] : []), deflateRawSync(data), trailer]);
}

/** As many megabytes of zeros, packed without ever being in memory. */
function manyZeros(megabytes: number): Buffer {
  return Buffer.concat(new Array<Buffer>(megabytes).fill(gzipSync(Buffer.alloc(1_000_000))));
}

const HEADERS: Header[] = [
  {},
  { name: 'case.nii' },
  { comment: 'x'.repeat(70_000) },
  { extra: 65_535 },
  { name: 'n'.repeat(5000), comment: 'c', extra: 3, checksum: true },
];

describe('a gzip header', () => {
  it('does not count as data, whatever it holds', async () => {
    const data = Buffer.from('some voxels');
    const { length } = member(data);
    for (const header of HEADERS) {
      const gzip = member(data, header);
      assert.equal(compressedBytes(gzip), length - 10);
      assert.deepEqual(
        Buffer.from((await inflateAll(gzip, 100, 100)).bytes),
        data,
        'it is a true gzip stream',
      );
    }
  });
  it('that does not end leaves no data', () => {
    assert.equal(compressedBytes(member(Buffer.from('x'), { name: 'long name' }).subarray(0, 12)), 0);
    assert.equal(compressedBytes(member(Buffer.from('x'), { extra: 500 }).subarray(0, 40)), 0);
    assert.equal(compressedBytes(Buffer.from([0x1f, 0x8b])), 0);
  });
  it('of any length lets a header of a volume be larger than its data by no byte', async () => {
    // 1 GB of voxels declared, a few hundred bytes of data, a megabyte of name.
    const bytes = volumeBytes({ size: [4, 4, 4] });
    [1000, 1000, 1000].forEach((n, i) => bytes.writeInt16LE(n, 42 + 2 * i));
    const path = join(folder, 'declares.nii.gz');
    for (const header of [{ name: 'n'.repeat(1_000_000) }, { comment: 'c'.repeat(1_000_000) }]) {
      writeFileSync(path, member(bytes, header));
      await assert.rejects(
        readNifti(path),
        /need 1000000352 bytes, more than \d{2,3} compressed bytes can hold/,
      );
    }
    // Behind a first member that holds nothing, the length is found out by inflating what there is.
    writeFileSync(
      path,
      Buffer.concat([member(Buffer.alloc(0)), member(bytes, { name: 'n'.repeat(1_000_000) })]),
    );
    const before = process.resourceUsage().maxRSS;
    await assert.rejects(readNifti(path), /the file is truncated|need about/);
    assert.ok(process.resourceUsage().maxRSS - before < 200_000, 'and its room is not taken');
  });
});

describe('the start of a stream', () => {
  it('is inflated no further than asked for, behind the longest header', async () => {
    const zeros = manyZeros(400);
    const gzip = Buffer.concat([member(Buffer.from('start'), { name: 'n'.repeat(5000) }), zeros]);
    const before = process.resourceUsage().maxRSS;
    const start = await inflateStart(gzip, 544);
    assert.equal(start.length, 544);
    assert.deepEqual([...start.subarray(0, 6)], [...Buffer.from('start'), 0]);
    assert.ok(process.resourceUsage().maxRSS - before < 50_000, 'kilobytes more');
  });
  it('may lie in many members, thousands of them empty', async () => {
    const bytes = volumeBytes({ voxels: 3 });
    const empty = Buffer.concat(Array.from({ length: 5000 }, () => member(Buffer.alloc(0))));
    const parts = [0, 100, 101, 348, 400].map((at, i, all) => member(bytes.subarray(at, all[i + 1])));
    const path = join(folder, 'members.nii.gz');
    writeFileSync(path, Buffer.concat([empty, ...parts.flatMap((part) => [part, empty])]));
    const { voxels, warnings } = await readNifti(path);
    assert.deepEqual([...voxels], new Array(64).fill(3));
    assert.deepEqual(warnings, []);
  });
  it('of a stream that holds less is all of it', async () => {
    assert.equal((await inflateStart(gzipSync('abc'), 544)).length, 3);
    assert.equal((await inflateStart(gzipSync(''), 544)).length, 0);
    await assert.rejects(inflateStart(gzipSync('abc').subarray(0, 11), 544));
  });
});

describe('a whole stream', () => {
  it('is not inflated beyond what is allowed', async () => {
    const gzip = manyZeros(300);
    const before = process.resourceUsage().maxRSS;
    const { bytes, found } = await inflateAll(gzip, 1000, 2000);
    assert.equal(bytes.length, 1000);
    assert.ok(found > 2000 && found < 1_000_000, String(found));
    assert.ok(process.resourceUsage().maxRSS - before < 50_000);
  });
  it('gives what it holds where that is less than declared', async () => {
    const { bytes, found } = await inflateAll(gzipSync('abc'), 1000, 2000);
    assert.deepEqual([Buffer.from(bytes).toString(), found], ['abc', 3]);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { derivedHeader } from '../../../src/data/nifti/derived.js';
import { parseHeader } from '../../../src/data/nifti/header.js';
import { volumeBytes } from '../volumes.js';

/** The header of a scan full of things that must stay, in either byte order. */
function scanHeader(version: 1 | 2, littleEndian: boolean, axes = 4): Uint8Array {
  const bytes = volumeBytes({
    version,
    size: [5, 4, 3],
    type: 'int16',
    qoffset: [1, 2, 3],
    slope: 2.5,
    pixdim: [0.5, 2, 3],
  });
  const head = bytes.subarray(0, version === 1 ? 352 : 544);
  const view = new DataView(head.buffer, head.byteOffset);
  const dim = version === 1 ? 40 : 16;
  if (version === 1) {
    head.write('scanner', 148);
    view.setInt16(dim, axes, true);
    view.setInt16(dim + 8, 2, true);
    view.setInt16(254, 4, true);
    for (let i = 0; i < 12; i++)
      view.setFloat32(280 + 4 * i, [0.5, 0, 0, 1, 0, 2, 0, 2, 0, 0, 3, 3][i] as number, true);
    view.setFloat32(124, 99, true);
  } else {
    head.write('scanner', 240);
    view.setBigInt64(dim, BigInt(axes), true);
    view.setBigInt64(dim + 32, 2n, true);
    view.setFloat64(192, 99, true);
  }
  return littleEndian ? head : swapped(head, version);
}

/** Fields of more than one byte that these tests look at, turned to the other byte order. */
function swapped(head: Buffer, version: 1 | 2): Buffer {
  const out = Buffer.from(head);
  const turn = (at: number, width: number, times = 1): void => {
    for (let i = 0; i < times; i++) out.subarray(at + i * width, at + (i + 1) * width).reverse();
  };
  turn(0, 4);
  if (version === 1) {
    turn(40, 2, 8);
    turn(68, 2, 4);
    turn(76, 4, 8);
    turn(108, 4, 3);
    turn(124, 4, 2);
    turn(252, 2, 2);
    turn(256, 4, 6);
    turn(280, 4, 12);
  } else {
    turn(12, 2, 2);
    turn(16, 8, 8);
    turn(104, 8, 8);
    turn(168, 8, 5);
    turn(344, 4, 2);
    turn(352, 8, 18);
    turn(500, 4);
  }
  return out;
}

/** Bytes that differ, as runs of places. */
function differing(a: Uint8Array, b: Uint8Array): number[] {
  return [...a.keys()].filter((i) => a[i] !== b[i]);
}

/** Where something may change: datatype to bitpix, dim, vox_offset to scl_inter, cal_max and cal_min, magic. */
const MAY_CHANGE = {
  1: [
    [40, 56],
    [70, 74],
    [108, 120],
    [124, 132],
    [344, 352],
  ],
  2: [
    [4, 16],
    [16, 80],
    [168, 208],
    [540, 544],
  ],
} as const;

describe('the header of a result', () => {
  it('says of the voxels what they are, and keeps every other byte, in both versions and byte orders', () => {
    for (const version of [1, 2] as const)
      for (const littleEndian of [true, false]) {
        const head = scanHeader(version, littleEndian);
        const before = parseHeader(head, 'scan');
        assert.deepEqual([before.channels, before.slope, before.littleEndian], [2, 2.5, littleEndian]);
        const made = derivedHeader(before, head.slice(0, version === 1 ? 348 : 540), { type: 'uint16' });
        assert.equal(made.length, version === 1 ? 352 : 544);
        const after = parseHeader(made, 'result');
        assert.deepEqual(
          [
            after.channels,
            after.slope,
            after.intercept,
            after.type.name,
            after.offset,
            after.pair,
            after.warnings,
          ],
          [1, 1, 0, 'uint16', made.length, false, before.warnings],
        );
        assert.deepEqual(
          [after.affine, after.size, after.spacing],
          [before.affine, before.size, before.spacing],
        );
        for (const at of differing(head, made))
          assert.ok(
            MAY_CHANGE[version].some(([from, to]) => at >= from && at < to),
            `byte ${at} of version ${version}`,
          );
        const four = parseHeader(
          derivedHeader(before, head.slice(0, -4), { type: 'uint8', volumes: 3, slope: 1 / 255 }),
          'four',
        );
        assert.deepEqual([four.channels, four.type.name], [3, 'uint8']);
        assert.ok(Math.abs(four.slope - 1 / 255) < 1e-9);
      }
  });

  it('makes a single file of a pair, and gives new axes a spacing', () => {
    const head = scanHeader(1, true, 2);
    const view = new DataView(head.buffer, head.byteOffset);
    view.setFloat32(88, 0, true);
    view.setFloat32(92, 0, true);
    Buffer.from(head.buffer, head.byteOffset).write('ni1\0', 344, 'latin1');
    const flat = { version: 1, littleEndian: true, size: [5, 4, 1] } as const;
    const labels = parseHeader(derivedHeader(flat, head.slice(0, 348), { type: 'uint8' }), 'flat');
    assert.deepEqual([labels.size, labels.pair], [[5, 4, 1], false]);
    const made = derivedHeader(flat, head.slice(0, 348), { type: 'uint8', volumes: 1 });
    const after = new DataView(made.buffer);
    assert.deepEqual(
      [after.getInt16(40, true), after.getFloat32(88, true), after.getFloat32(92, true)],
      [4, 1, 1],
    );
  });
});

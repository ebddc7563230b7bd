// Volumes and datasets for tests, written byte by byte according to the NIfTI standard, not by lunet's writer.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Experiment } from '../../src/config/schema.js';
import { loadExperiment } from '../../src/config/load.js';

export type Triple = readonly [number, number, number];

export interface VolumeOptions {
  readonly version?: 1 | 2;
  readonly size?: Triple;
  /** One value for all voxels, or all voxels with x fastest. */
  readonly voxels?: number | readonly number[];
  readonly type?: 'uint8' | 'int16' | 'float32';
  /** Rows of the sform; undefined: none. */
  readonly sform?: readonly (readonly number[])[] | undefined;
  /** An unrotated qform with this offset; undefined: none. */
  readonly qoffset?: Triple | undefined;
  readonly pixdim?: Triple;
  readonly units?: number;
  readonly slope?: number;
}

const TYPES = { uint8: [2, 1], int16: [4, 2], float32: [16, 4] } as const;

/** The bytes of an uncompressed .nii file, little-endian. */
export function volumeBytes(options: VolumeOptions = {}): Buffer {
  const { version = 1, size = [4, 4, 4], voxels = 0, type = 'uint8', units = 2, slope = 0 } = options;
  const { sform, qoffset, pixdim = sform ? lengths(sform) : [1, 1, 1] } = options;
  const [code, width] = TYPES[type];
  const count = size[0] * size[1] * size[2];
  const offset = version === 1 ? 352 : 544;
  const bytes = Buffer.alloc(offset + count * width);
  const dims = [3, ...size, 1, 1, 1, 1];
  const pixdims = [1, ...pixdim, 0, 0, 0, 0];
  const rows = sform?.flat() ?? new Array<number>(12).fill(0);
  if (version === 1) {
    bytes.writeInt32LE(348, 0);
    dims.forEach((n, i) => bytes.writeInt16LE(n, 40 + 2 * i));
    bytes.writeInt16LE(code, 70);
    bytes.writeInt16LE(8 * width, 72);
    pixdims.forEach((n, i) => bytes.writeFloatLE(n, 76 + 4 * i));
    bytes.writeFloatLE(offset, 108);
    bytes.writeFloatLE(slope, 112);
    bytes.writeUInt8(units, 123);
    bytes.writeInt16LE(qoffset ? 1 : 0, 252);
    bytes.writeInt16LE(sform ? 1 : 0, 254);
    (qoffset ?? [0, 0, 0]).forEach((n, i) => bytes.writeFloatLE(n, 268 + 4 * i));
    rows.forEach((n, i) => bytes.writeFloatLE(n, 280 + 4 * i));
    bytes.write('n+1\0', 344, 'latin1');
  } else {
    bytes.writeInt32LE(540, 0);
    bytes.write('n+2\0\r\n\x1a\n', 4, 'latin1');
    bytes.writeInt16LE(code, 12);
    bytes.writeInt16LE(8 * width, 14);
    dims.forEach((n, i) => bytes.writeBigInt64LE(BigInt(n), 16 + 8 * i));
    pixdims.forEach((n, i) => bytes.writeDoubleLE(n, 104 + 8 * i));
    bytes.writeBigInt64LE(BigInt(offset), 168);
    bytes.writeDoubleLE(slope, 176);
    bytes.writeInt32LE(qoffset ? 1 : 0, 344);
    bytes.writeInt32LE(sform ? 1 : 0, 348);
    (qoffset ?? [0, 0, 0]).forEach((n, i) => bytes.writeDoubleLE(n, 376 + 8 * i));
    rows.forEach((n, i) => bytes.writeDoubleLE(n, 400 + 8 * i));
    bytes.writeInt32LE(units, 500);
  }
  for (let i = 0; i < count; i++) {
    const value = typeof voxels === 'number' ? voxels : (voxels[i] as number);
    if (type === 'uint8') bytes.writeUInt8(value, offset + i);
    else if (type === 'int16') bytes.writeInt16LE(value, offset + 2 * i);
    else bytes.writeFloatLE(value, offset + 4 * i);
  }
  return bytes;
}

/** Lengths of the columns of a matrix. */
function lengths(rows: readonly (readonly number[])[]): Triple {
  return [0, 1, 2].map((c) => Math.hypot(...rows.map((row) => row[c] as number))) as unknown as Triple;
}

/** An affine with this spacing and no rotation. */
export function scaling([x, y, z]: Triple): number[][] {
  return [
    [x, 0, 0, 0],
    [0, y, 0, 0],
    [0, 0, z, 0],
  ];
}

export function writeVolume(path: string, options: VolumeOptions = {}): void {
  mkdirSync(dirname(path), { recursive: true });
  const bytes = volumeBytes(options);
  writeFileSync(path, path.endsWith('.gz') ? gzipSync(bytes) : bytes);
}

export interface CaseOptions {
  readonly image?: VolumeOptions;
  readonly label?: VolumeOptions;
  /** Of both. */
  readonly both?: VolumeOptions;
}

const SIDE = 8;

/** A label of `value` in the middle half of each axis, nothing elsewhere. */
export function middle(value = 1, [x, y, z]: Triple = [SIDE, SIDE, SIDE]): number[] {
  const inside = (i: number, n: number): boolean => i >= n / 4 && i < (3 * n) / 4;
  return Array.from({ length: x * y * z }, (_, at) =>
    inside(at % x, x) && inside(Math.floor(at / x) % y, y) && inside(Math.floor(at / (x * y)), z) ? value : 0,
  );
}

/** A dataset in the layout of the Decathlon: case_0, case_1, ... of 8 x 8 x 8 voxels, each with a cube of label 1. */
export function writeDecathlon(
  root: string,
  cases: readonly CaseOptions[],
  entry: (name: string, index: number) => object = (name) => ({
    image: `./imagesTr/${name}`,
    label: `./labelsTr/${name}`,
  }),
): void {
  const training = cases.map(({ image, label, both }, i) => {
    const name = `case_${i}.nii.gz`;
    const size = both?.size ?? [SIDE, SIDE, SIDE];
    const ramp = Array.from({ length: size[0] * size[1] * size[2] }, (_, at) => (at * 7 + i) % 100);
    writeVolume(join(root, 'imagesTr', name), { size, voxels: ramp, type: 'int16', ...both, ...image });
    writeVolume(join(root, 'labelsTr', name), { size, voxels: middle(1, size), ...both, ...label });
    return entry(name, i);
  });
  writeDatasetJson(root, { training });
}

export function writeDatasetJson(root: string, more: object): void {
  const json = { modality: { 0: 'MRI' }, labels: { 0: 'background', 1: 'organ', 2: 'other' }, ...more };
  writeFileSync(join(root, 'dataset.json'), JSON.stringify(json));
}

/** An experiment on a dataset; `change` are settings for --set. */
export function experimentOn(root: string, ...change: string[]): Experiment {
  const path = `${root}.yaml`;
  writeFileSync(
    path,
    `experiment: test
dataset:
  layout: decathlon
  root: ${JSON.stringify(root)}
  labels: { organ: 1 }
  split: { train: 2, test: 1 }
preprocessing: { size: [8, 8, 8] }
models: [{ family: lunet, n: 2, levels: 2, convs: 1 }]
training: { epochs: 1, batch: 2, seeds: [1] }
`,
  );
  return loadExperiment(path, change).config;
}

// Writes NIfTI-1 volumes of generated data.

import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Affine } from './affine.js';
import { newHeader } from './create.js';

const compress = promisify(gzip);

/** The volume to write: voxels in (z, y, x) order with x fastest, and their position in space. */
export interface WritableVolume {
  readonly size: readonly [x: number, y: number, z: number];
  readonly spacing: readonly [number, number, number];
  /** Default: the spacing alone, so that axes point right, anterior, superior. */
  readonly affine?: Affine;
  readonly voxels: Uint8Array | Int16Array | Float32Array;
}

/** Writes a gzip-compressed NIfTI-1 file (.nii.gz), little-endian. */
export async function writeNifti(
  file: string,
  { size, spacing, affine = spacingAlone(spacing), voxels }: WritableVolume,
): Promise<void> {
  const code = voxels instanceof Uint8Array ? 2 : voxels instanceof Int16Array ? 4 : 16;
  const bytes = Buffer.concat([
    newHeader(size, spacing, affine, code),
    new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength),
  ]);
  await writeFile(file, await compress(bytes, { level: 4 }));
}

function spacingAlone([x, y, z]: WritableVolume['spacing']): Affine {
  return [
    [x, 0, 0, 0],
    [0, y, 0, 0],
    [0, 0, z, 0],
  ];
}

// Writes NIfTI-1 volumes, for generated data and predictions.

import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { NIFTI1 } from 'nifti-reader-js';
import { type Affine } from './affine.js';

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
  const header = new NIFTI1();
  header.littleEndian = true;
  header.dims = [3, ...size, 1, 1, 1, 1];
  header.pixDims = [1, ...spacing, 1, 0, 0, 0];
  const [code, bits] =
    voxels instanceof Uint8Array ? [2, 8] : voxels instanceof Int16Array ? [4, 16] : [16, 32];
  header.datatypeCode = code;
  header.numBitsPerVoxel = bits;
  header.vox_offset = 352;
  header.scl_slope = 1;
  header.scl_inter = 0;
  header.xyzt_units = 2; // mm
  header.sform_code = 1;
  header.qform_code = 0;
  header.affine = [...affine.map((row) => [...row]), [0, 0, 0, 1]];
  header.magic = 'n+1\0';
  header.description = 'lunet';
  const bytes = Buffer.concat([
    new Uint8Array(header.toArrayBuffer()),
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

// Volumes that come from no NIfTI file: their header (NIfTI-1, little-endian, mm, the affine as sform). Without Node.js.

import { NIFTI1 } from 'nifti-reader-js';
import { UserError } from '../../errors.js';
import { type Affine, columnLength } from './affine.js';
import { type Volume } from './decode.js';
import { type NiftiHeader, parseHeader } from './header.js';
import { type VoxelType, voxelTypes } from './voxel-types.js';

/** Axes are stored as int16. */
const LONGEST_AXIS = 32_767;

const FLOAT32 = 16;

/** The 352 bytes before the voxels of a single file (.nii); `code` is NIfTI's code of their type. */
export function newHeader(
  size: NiftiHeader['size'],
  spacing: NiftiHeader['spacing'],
  affine: Affine,
  code: number,
): Uint8Array {
  const header = new NIFTI1();
  header.littleEndian = true;
  header.dims = [3, ...size, 1, 1, 1, 1];
  header.pixDims = [1, ...spacing, 1, 0, 0, 0];
  header.datatypeCode = code;
  header.numBitsPerVoxel = 8 * (voxelTypes[code] as VoxelType).bytes;
  header.vox_offset = 352;
  header.scl_slope = 1;
  header.scl_inter = 0;
  header.xyzt_units = 2; // mm
  header.sform_code = 1;
  header.qform_code = 0;
  header.affine = [...affine.slice(0, 3).map((row) => [...row]), [0, 0, 0, 1]];
  header.magic = 'n+1\0';
  header.description = 'lunet';
  return new Uint8Array(header.toArrayBuffer());
}

/** A volume as a program has it. */
export interface GivenVolume {
  /** Intensities, (z, y, x), x fastest. Float arrays are taken over, not copied. */
  readonly voxels: Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array;
  /** Voxels along x, y, z. */
  readonly size: readonly [x: number, y: number, z: number];
  /** Rows of the matrix that takes voxel indices (x, y, z, 1) to mm, to the right, anterior, superior (NIfTI's RAS+). */
  readonly affine: Affine;
}

/**
 * A volume from voxels and their affine, to segment it, and to write results that lie where it lies. The affine is kept in single
 * precision, as NIfTI-1 stores it. Throws a UserError of kind `data` if they do not fit together.
 */
export function createVolume({ voxels, size, affine }: GivenVolume): Volume {
  if (size.length !== 3 || !size.every((n) => Number.isInteger(n) && n >= 1 && n <= LONGEST_AXIS))
    throw new UserError('data', `size: found ${size.join(' x ')}, expected three of 1 to ${LONGEST_AXIS}`);
  const count = size[0] * size[1] * size[2];
  if (voxels.length !== count)
    throw new UserError('data', `voxels: found ${voxels.length}, expected ${size.join(' x ')} = ${count}`);
  if (affine.length < 3 || affine.slice(0, 3).some((row) => row.length !== 4))
    throw new UserError('data', 'affine: expected three rows of four numbers, or four');
  const spacing = [0, 1, 2].map((column) => columnLength(affine, column));
  const head = newHeader(size, spacing as [number, number, number], affine, FLOAT32);
  const header = parseHeader(head, 'volume');
  const floats = voxels instanceof Float32Array || voxels instanceof Float64Array;
  return { ...header, head: head.slice(0, 348), voxels: floats ? voxels : Float32Array.from(voxels) };
}

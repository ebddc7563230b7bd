// Checks a NIfTI header and reads it. nifti-reader-js parses only headers that have passed these checks, since it misreads
// many other headers or crashes on them.

import { NIFTI1, NIFTI2 } from 'nifti-reader-js';
import { UserError } from '../../errors.js';
import { type Affine, affineDistance, columnLength, determinantOf } from './affine.js';
import { type VoxelType, voxelTypeName, voxelTypes } from './voxel-types.js';

export interface NiftiHeader {
  readonly version: 1 | 2;
  readonly littleEndian: boolean;
  /** Voxels along x, y, z; x is fastest in the file. */
  readonly size: readonly [x: number, y: number, z: number];
  /** Volumes along the fourth axis. */
  readonly channels: number;
  readonly type: VoxelType;
  /** Where voxels start in the (inflated) file that holds them. */
  readonly offset: number;
  /** Real values are stored values times slope plus intercept. */
  readonly slope: number;
  readonly intercept: number;
  readonly affine: Affine;
  /** Distance between voxels along x, y, z in mm. */
  readonly spacing: readonly [number, number, number];
  /** Whether the voxels are in a separate .img file. */
  readonly pair: boolean;
  readonly warnings: readonly string[];
}

/** Bytes that the header needs: enough for either version, with the extension flag. */
export const HEADER_BYTES = 544;

/** Reads the header at the start of a file. Throws a UserError of kind `data` naming file, field, found, expected. */
export function parseHeader(bytes: Uint8Array, file: string): NiftiHeader {
  const fail = (message: string): never => {
    throw new UserError('data', `${file}: ${message}`);
  };
  if (bytes.length === 0) fail('the file is empty, expected a NIfTI volume');
  if (bytes.length < 348) fail(`found ${bytes.length} bytes, expected a NIfTI header of at least 348`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { version, littleEndian } = findVersion(view, fail);
  const second = version === 2;
  if (second && bytes.length < 540) fail(`found ${bytes.length} bytes, expected a NIfTI-2 header of 540`);
  const magic = String.fromCharCode(...bytes.subarray(second ? 4 : 344, second ? 12 : 348));
  const pair = magic.startsWith(second ? 'ni2\0' : 'ni1\0');
  if (!pair && !magic.startsWith(second ? 'n+2\0' : 'n+1\0'))
    fail(`magic: found ${JSON.stringify(magic)}, expected "n+${version}" (an Analyze or damaged file?)`);
  if (second && magic.slice(4) !== '\r\n\x1a\n')
    fail('magic: the end-of-line bytes are damaged (transferred as text?)');

  const dims = Array.from({ length: 8 }, (_, i) =>
    second ? Number(view.getBigInt64(16 + 8 * i, littleEndian)) : view.getInt16(40 + 2 * i, littleEndian),
  );
  const { size, channels } = checkDims(dims, fail);
  const warnings: string[] = [];
  const code = view.getInt16(second ? 12 : 70, littleEndian);
  const type =
    voxelTypes[code] ??
    fail(`datatype: found ${code} (${voxelTypeName(code)}), expected an integer or float type`);
  const bitpix = view.getInt16(second ? 14 : 72, littleEndian);
  if (bitpix !== 8 * type.bytes)
    warnings.push(`bitpix ${bitpix} does not fit datatype ${type.name}; the datatype counts`);
  const offset = checkOffset(
    second ? Number(view.getBigInt64(168, littleEndian)) : view.getFloat32(108, littleEndian),
    pair ? 0 : second ? 544 : 352,
    fail,
  );

  const parsed = parseFields(bytes, second, littleEndian);
  const scaled = Number.isFinite(parsed.scl_slope) && parsed.scl_slope !== 0;
  if (scaled && !Number.isFinite(parsed.scl_inter))
    fail(`scl_inter: found ${parsed.scl_inter} with scl_slope ${parsed.scl_slope}, expected a finite number`);
  const scale = unitInMm(second ? view.getInt32(500, littleEndian) : view.getUint8(123), warnings);
  const affine = chooseAffine(
    parsed,
    { view, second, littleEndian, size, axes: dims[0] as number, scale },
    warnings,
    fail,
  );
  return {
    version,
    littleEndian,
    size,
    channels,
    type,
    offset,
    slope: scaled ? parsed.scl_slope : 1,
    intercept: scaled ? parsed.scl_inter : 0,
    affine,
    spacing: [0, 1, 2].map((column) => columnLength(affine, column)) as [number, number, number],
    pair,
    warnings,
  };
}

type Fail = (message: string) => never;

function findVersion(view: DataView, fail: Fail): { version: 1 | 2; littleEndian: boolean } {
  for (const littleEndian of [true, false]) {
    const bytes = view.getInt32(0, littleEndian);
    if (bytes === 348) return { version: 1, littleEndian };
    if (bytes === 540) return { version: 2, littleEndian };
  }
  return fail(
    `sizeof_hdr: found ${view.getInt32(0, true)}, expected 348 (NIfTI-1) or 540 (NIfTI-2): not a NIfTI file`,
  );
}

function checkDims(
  dims: readonly number[],
  fail: Fail,
): { size: [number, number, number]; channels: number } {
  const axes = dims[0] as number;
  if (!(axes >= 1 && axes <= 7)) fail(`dim[0]: found ${axes}, expected 1 to 7`);
  // By the standard, sizes after the first dim[0] axes are meaningless.
  const used = dims.slice(1, axes + 1);
  for (const [i, size] of used.entries())
    if (!(size >= 1)) fail(`dim[${i + 1}]: found ${size}, expected at least 1`);
  const [x = 1, y = 1, z = 1, channels = 1, ...rest] = used;
  if (rest.some((size) => size !== 1)) fail(`dim: found ${used.join(' x ')}, expected 1 along axes 5 to 7`);
  if (!Number.isSafeInteger(x * y * z * channels * 8))
    fail(`dim: found ${used.join(' x ')}, which no file can hold`);
  return { size: [x, y, z], channels };
}

function checkOffset(found: number, least: number, fail: Fail): number {
  if (found === 0) return least;
  if (!Number.isSafeInteger(found) || found < least)
    fail(`vox_offset: found ${found}, expected 0 or a whole number of at least ${least}`);
  return found;
}

function parseFields(bytes: Uint8Array, second: boolean, littleEndian: boolean): NIFTI1 | NIFTI2 {
  const copy = new Uint8Array(second ? HEADER_BYTES : 352);
  copy.set(bytes.subarray(0, second ? 540 : 348)); // without extensions, on which the parser may crash
  const header = second ? new NIFTI2() : new NIFTI1();
  header.littleEndian = littleEndian;
  header.readHeader(copy.buffer);
  return header;
}

/** The unit of length of a header in mm, from the lowest three bits of xyzt_units; mm if the file does not say. */
function unitInMm(xyztUnits: number, warnings: string[]): number {
  const code = xyztUnits & 7;
  if (code === 1) return 1000;
  if (code === 3) return 1 / 1000;
  if (code !== 0 && code !== 2) warnings.push(`xyzt_units has no unit of length ${code}; taken as mm`);
  return 1;
}

interface Geometry {
  readonly view: DataView;
  readonly second: boolean;
  readonly littleEndian: boolean;
  readonly size: NiftiHeader['size'];
  readonly axes: number;
  /** The unit of length in mm. */
  readonly scale: number;
}

/** The sform, else the qform, else the spacing alone; in mm. */
function chooseAffine(
  header: NIFTI1 | NIFTI2,
  { view, second, littleEndian, size, axes, scale }: Geometry,
  warnings: string[],
  fail: Fail,
): Affine {
  const number = (at: number, at2: number): number =>
    scale * (second ? view.getFloat64(at2, littleEndian) : view.getFloat32(at, littleEndian));
  const sform =
    header.sform_code > 0
      ? [0, 1, 2].map((r) => [0, 1, 2, 3].map((c) => number(280 + 4 * (4 * r + c), 400 + 8 * (4 * r + c))))
      : undefined;
  if (sform?.flat().some((value) => !Number.isFinite(value)))
    fail('sform: found a value that is not finite, expected a matrix of numbers');
  const spacing = [1, 2, 3].map((i) => {
    if (i > axes) return 1; // garbage by the standard
    const value = header.pixDims[i] as number;
    if (Number.isFinite(value) && value < 0) warnings.push(`pixdim[${i}] is negative; its size counts`);
    return scale * Math.abs(value);
  }) as [number, number, number];
  const spaced = spacing.every((value) => Number.isFinite(value) && value > 0);
  const qform =
    header.qform_code > 0 && spaced
      ? quaternionAffine(header, spacing, scale, warnings, fail, !sform)
      : undefined;
  if (!sform && !spaced)
    fail(`pixdim: found ${header.pixDims.slice(1, 4).join(' x ')}, expected a spacing above 0`);
  const affine: Affine = sform ??
    qform ?? [
      [spacing[0], 0, 0, 0],
      [0, spacing[1], 0, 0],
      [0, 0, spacing[2], 0],
    ];
  if (sform && qform && affineDistance(sform, qform, size) > 1e-3)
    warnings.push('sform and qform differ; the sform counts');
  const determinant = determinantOf(affine);
  const box = [0, 1, 2].map((column) => columnLength(affine, column)).reduce((a, b) => a * b, 1);
  if (!(Math.abs(determinant) > 1e-6 * box))
    fail('affine: the matrix is singular, expected three independent axes');
  if (Math.abs(determinant) < (1 - 1e-3) * box) warnings.push('the affine is sheared');
  return affine;
}

function quaternionAffine(
  header: NIFTI1 | NIFTI2,
  spacing: readonly [number, number, number],
  scale: number,
  warnings: string[],
  fail: Fail,
  needed: boolean,
): Affine | undefined {
  let [b, c, d] = [header.quatern_b, header.quatern_c, header.quatern_d];
  const norm = b * b + c * c + d * d;
  if (!(Math.sqrt(norm) <= 1 + 1e-5)) {
    if (needed) fail(`quatern: found a norm of ${Math.sqrt(norm)}, expected at most 1`);
    return undefined;
  }
  if (norm > 1) [b, c, d] = [b, c, d].map((value) => value / Math.sqrt(norm)) as [number, number, number];
  const stored = header.pixDims[0] as number;
  if (stored !== 1 && stored !== -1)
    warnings.push(`pixdim[0] is ${stored}, expected 1 or -1; taken as ${stored < 0 ? -1 : 1}`);
  const offsets = [scale * header.qoffset_x, scale * header.qoffset_y, scale * header.qoffset_z] as const;
  if (!offsets.every(Number.isFinite)) {
    if (needed) fail(`qoffset: found ${offsets.join(', ')}, expected finite numbers`);
    return undefined;
  }
  return new NIFTI1()
    .convertNiftiQFormToNiftiSForm(b, c, d, ...offsets, ...spacing, stored < 0 ? -1 : 1)
    .slice(0, 3);
}

// The header of a volume that was made from another volume. It has the bytes of the other header, so the position in space is the
// same (qform, sform, their codes, spacings, units), with new fields for the voxels. Without Node.js.

import { UserError } from '../../errors.js';
import { type NiftiHeader } from './header.js';

/** The new fields. */
export interface DerivedVoxels {
  readonly type: 'uint8' | 'uint16';
  /** Volumes along the fourth axis; with one volume there are three axes. */
  readonly volumes?: number;
  /** The factor from stored values to real values. */
  readonly slope?: number;
}

/** Offsets and types of the fields in versions 1 and 2. */
const FIELDS = {
  1: {
    datatype: 70,
    bitpix: 72,
    dim: 40,
    pixdim: 76,
    offset: 108,
    slope: 112,
    inter: 116,
    calMax: 124,
    calMin: 128,
  },
  2: {
    datatype: 12,
    bitpix: 14,
    dim: 16,
    pixdim: 104,
    offset: 168,
    slope: 176,
    inter: 184,
    calMax: 192,
    calMin: 200,
  },
} as const;

const CODES = { uint8: { code: 2, bits: 8 }, uint16: { code: 512, bits: 16 } } as const;

/** The bytes before the voxels of a single file (.nii) derived from a volume with this header, without extensions. */
export function derivedHeader(
  { version, littleEndian, size }: Pick<NiftiHeader, 'version' | 'littleEndian' | 'size'>,
  head: Uint8Array,
  { type, volumes, slope = 1 }: DerivedVoxels,
): Uint8Array {
  const second = version === 2;
  const offset = second ? 544 : 352;
  // The four bytes after the header are zero: no extensions.
  const bytes = new Uint8Array(offset);
  bytes.set(head);
  const view = new DataView(bytes.buffer);
  const at = FIELDS[version];
  const int = (place: number, value: number): void => view.setInt16(place, value, littleEndian);
  const float = (place: number, value: number): void =>
    second ? view.setFloat64(place, value, littleEndian) : view.setFloat32(place, value, littleEndian);
  const setDim = (axis: number, value: number): void =>
    second ? view.setBigInt64(at.dim + 8 * axis, BigInt(value), littleEndian) : int(at.dim + 2 * axis, value);
  const dim = (axis: number): number =>
    second
      ? Number(view.getBigInt64(at.dim + 8 * axis, littleEndian))
      : view.getInt16(at.dim + 2 * axis, littleEndian);

  int(at.datatype, CODES[type].code);
  int(at.bitpix, CODES[type].bits);
  const was = dim(0);
  const axes = volumes === undefined ? Math.min(was, 3) : 4;
  setDim(0, axes);
  for (let axis = 1; axis <= 7; axis++) setDim(axis, axis <= 3 ? (size[axis - 1] as number) : 1);
  if (volumes !== undefined) setDim(4, volumes);
  // By the standard, sizes after the last axis were meaningless, but now they count.
  for (let axis = was + 1; axis <= axes; axis++) float(at.pixdim + (second ? 8 : 4) * axis, 1);
  if (second) view.setBigInt64(at.offset, BigInt(offset), littleEndian);
  else float(at.offset, offset);
  float(at.slope, slope);
  float(at.inter, 0);
  float(at.calMax, 0);
  float(at.calMin, 0);
  bytes.set(new TextEncoder().encode(second ? 'n+2\0' : 'n+1\0'), second ? 4 : 344);
  return bytes;
}

/**
 * The parts of a single file (.nii) of label values, (z, y, x), with the grid and the position in space of `like`. Throws a
 * UserError of kind `data` if the number of values is not the number of its voxels.
 */
export function labelParts(
  labels: Uint8Array | Uint16Array,
  like: Pick<NiftiHeader, 'version' | 'littleEndian' | 'size'> & { readonly head: Uint8Array },
): [header: Uint8Array, voxels: Uint8Array] {
  const { size, head, littleEndian } = like;
  const voxels = size[0] * size[1] * size[2];
  if (labels.length !== voxels)
    throw new UserError(
      'data',
      `labels: found ${labels.length}, expected ${size.join(' x ')} = ${voxels}, as the scan has`,
    );
  const type = labels instanceof Uint16Array ? 'uint16' : 'uint8';
  return [derivedHeader(like, head, { type }), storedBytes(labels, littleEndian)];
}

/** Label values as bytes in a byte order. */
function storedBytes(labels: Uint8Array | Uint16Array, littleEndian: boolean): Uint8Array {
  if (labels instanceof Uint8Array) return labels;
  const bytes = new Uint8Array(2 * labels.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < labels.length; i++) view.setUint16(2 * i, labels[i] as number, littleEndian);
  return bytes;
}

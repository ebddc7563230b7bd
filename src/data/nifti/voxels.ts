// Decodes the voxels of a NIfTI file, without Node.js: a browser reads with the same code.

import { UserError } from '../../errors.js';
import { type NiftiHeader } from './header.js';

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * The precision of values after slope and intercept. `float64`: labels come out as near to integers as the header allows.
 * `float32`: half the memory, for intensities, where it is precise enough (see `fitsFloat32`).
 */
export type Scaled = 'float64' | 'float32';

/** The voxels in bytes that contain nothing else, after slope and intercept. Throws a UserError of kind `data`. */
export function decodeVoxels(
  header: NiftiHeader,
  raw: Uint8Array,
  file: string,
  precision: Scaled = 'float64',
): Float64Array | Float32Array {
  const { type, littleEndian, slope, intercept } = header;
  const swap = type.bytes > 1 && littleEndian !== LITTLE_ENDIAN;
  // Conversion to floats copies integers. Floats are copied here, since their bytes may have to be swapped or aligned.
  const asTheyLie = !swap && raw.byteOffset % type.bytes === 0 && !type.name.startsWith('float');
  const bytes = asTheyLie ? raw : Uint8Array.from(raw);
  if (swap) reverseEach(bytes, type.bytes);
  const stored = new type.array(bytes.buffer, bytes.byteOffset, bytes.length / type.bytes);
  const voxels =
    stored instanceof BigInt64Array || stored instanceof BigUint64Array
      ? exactNumbers(stored, file)
      : stored instanceof Float32Array || stored instanceof Float64Array
        ? stored
        : // Doubles only where a float32 could not hold the stored value.
          type.bytes > 2
          ? new Float64Array(stored)
          : new Float32Array(stored);
  if (slope === 1 && intercept === 0) return voxels;
  const scaled = precision === 'float32' && fitsFloat32(header) ? voxels : new Float64Array(voxels.length);
  for (let i = 0; i < scaled.length; i++) scaled[i] = (voxels[i] as number) * slope + intercept;
  return scaled;
}

/**
 * Whether a float32 holds scaled values precisely enough for intensities: stored values have at most two bytes, and the intercept is
 * at most 2^16 times the slope. A value is then at most 2^17 stored steps, so rounding (2^-24 of it) moves it by at most 2^-7 of a step.
 */
export function fitsFloat32({ type, slope, intercept }: NiftiHeader): boolean {
  return type.bytes <= 2 && Math.abs(intercept) <= 2 ** 16 * Math.abs(slope);
}

function exactNumbers(stored: BigInt64Array | BigUint64Array, file: string): Float64Array {
  const voxels = new Float64Array(stored.length);
  for (let i = 0; i < voxels.length; i++) {
    voxels[i] = Number(stored[i]);
    if (!Number.isSafeInteger(voxels[i]))
      throw new UserError(
        'data',
        `${file}: voxel ${i}: found ${stored[i]}, expected integers below 2^53, which a float64 holds exactly`,
      );
  }
  return voxels;
}

/** Reverses the byte order of numbers with this many bytes. */
function reverseEach(bytes: Uint8Array, width: number): void {
  for (let start = 0; start < bytes.length; start += width) bytes.subarray(start, start + width).reverse();
}

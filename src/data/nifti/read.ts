// Reads a NIfTI file: inflates it under a bound that its checked header sets, and decodes its voxels.

import { readFile, stat } from 'node:fs/promises';
import { endianness } from 'node:os';
import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync } from 'node:zlib';
import { UserError } from '../../errors.js';
import { HEADER_BYTES, type NiftiHeader, parseHeader } from './header.js';

const inflate = promisify(gunzip);

/** A decoded volume. */
export interface Volume extends NiftiHeader {
  /** Values after slope and intercept, (channels, z, y, x). May be NaN or infinite where the file says so. */
  readonly voxels: Float64Array | Float32Array;
}

// DEFLATE cannot do better than this.
const MAX_RATIO = 1032;
const SLACK = 64 * 1024;
// Compressed bytes that hold a header; more only where a gzip header itself is long (names, extra fields).
const STARTS = [4096, 256 * 1024];

/**
 * Reads a .nii, .nii.gz, or .hdr with its .img beside it. Throws a UserError of kind `data` that names file, field,
 * found and expected.
 */
export async function readNifti(file: string): Promise<Volume> {
  const bytes = await readBytes(file);
  const packed = isGzip(bytes);
  const warnings: string[] = [];
  if (packed !== /\.gz$/i.test(file))
    warnings.push(packed ? 'is gzip-compressed despite its name' : 'is not compressed despite its name');
  const header = parseHeader(packed ? inflateStart(bytes, file) : bytes.subarray(0, HEADER_BYTES), file);
  if (!header.pair) return decode(header, bytes, packed, file, warnings);
  const image = file.replace(/\.hdr(\.gz)?$/i, '.img$1');
  if (image === file)
    throw new UserError('data', `${file}: is the header of a pair, expected a name ending in .hdr`);
  const imageBytes = await readBytes(image);
  // Plain voxels may happen to begin like a gzip stream.
  const imagePacked =
    isGzip(imageBytes) && (/\.gz$/i.test(image) || imageBytes.length < declaredBytes(header));
  return decode(header, imageBytes, imagePacked, image, warnings);
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    // A pipe or device would block or never end.
    if (!(await stat(file)).isFile()) throw new Error('it is not a regular file');
    return await readFile(file);
  } catch (error) {
    throw new UserError('data', `${file}: cannot be read: ${(error as Error).message}`);
  }
}

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

function inflateStart(bytes: Buffer, file: string): Uint8Array {
  try {
    let start = Buffer.alloc(0);
    // A damaged or truncated end is found when the whole file is inflated.
    for (const length of STARTS)
      if (start.length < HEADER_BYTES)
        start = gunzipSync(bytes.subarray(0, length), { finishFlush: constants.Z_SYNC_FLUSH });
    return start;
  } catch (error) {
    throw new UserError('data', `${file}: the gzip stream is damaged: ${(error as Error).message}`);
  }
}

function voxelCount({ size, channels }: NiftiHeader): number {
  return size[0] * size[1] * size[2] * channels;
}

function declaredBytes(header: NiftiHeader): number {
  return header.offset + voxelCount(header) * header.type.bytes;
}

async function decode(
  header: NiftiHeader,
  bytes: Buffer,
  packed: boolean,
  file: string,
  warnings: string[],
): Promise<Volume> {
  const { size, channels, type, offset } = header;
  const declared = declaredBytes(header);
  const shape = [...size, ...(channels > 1 ? [channels] : [])].join(' x ');
  const needs = `${shape} ${type.name} voxels from byte ${offset} need ${declared} bytes`;
  let raw = bytes;
  if (packed) {
    if (declared > MAX_RATIO * bytes.length + SLACK)
      throw new UserError(
        'data',
        `${file}: dim: ${needs}, more than ${bytes.length} compressed bytes can hold`,
      );
    try {
      raw = await inflate(bytes, { maxOutputLength: declared + SLACK });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new UserError(
        'data',
        code === 'ERR_BUFFER_TOO_LARGE'
          ? `${file}: dim: ${needs}, found more when inflated`
          : `${file}: the gzip stream is damaged or truncated: ${message}`,
      );
    }
  }
  if (raw.length < declared)
    throw new UserError('data', `${file}: the file is truncated: ${needs}, found ${raw.length}`);
  if (raw.length > declared) warnings.push('has bytes after its voxels');
  return {
    ...header,
    warnings: [...header.warnings, ...warnings],
    voxels: readVoxels(header, raw.subarray(offset, declared), file),
  };
}

function readVoxels(header: NiftiHeader, raw: Buffer, file: string): Float64Array | Float32Array {
  const { type, littleEndian, slope, intercept } = header;
  // A copy, since voxels may begin at any byte and their order may have to be turned.
  const bytes = Buffer.from(new ArrayBuffer(raw.length));
  raw.copy(bytes);
  if (littleEndian !== (endianness() === 'LE')) {
    if (type.bytes === 2) bytes.swap16();
    if (type.bytes === 4) bytes.swap32();
    if (type.bytes === 8) bytes.swap64();
  }
  const stored = new type.array(bytes.buffer);
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
  // Scaled in double precision, so that scaled labels come out as near to integers as the header allows.
  const scaled = new Float64Array(voxels.length);
  for (let i = 0; i < scaled.length; i++) scaled[i] = (voxels[i] as number) * slope + intercept;
  return scaled;
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

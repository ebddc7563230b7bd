// Reads a NIfTI file: inflates it under a bound that its checked header sets, and decodes its voxels.

import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync } from 'node:zlib';
import { UserError } from '../../errors.js';
import { HEADER_BYTES, type NiftiHeader, parseHeader } from './header.js';

const inflate = promisify(gunzip);

/** A decoded volume. */
export interface Volume extends NiftiHeader {
  /** Values after slope and intercept, (channels, z, y, x). */
  readonly voxels: Float64Array | Float32Array;
}

// DEFLATE cannot do better than this.
const MAX_RATIO = 1032;
const SLACK = 64 * 1024;

/**
 * Reads a .nii, .nii.gz, or .hdr with its .img beside it. Values that are not finite are counted, not refused.
 * Throws a UserError of kind `data` that names file, field, found and expected.
 */
export async function readNifti(file: string): Promise<Volume> {
  const bytes = await readBytes(file);
  const warnings: string[] = [];
  const packed = isGzip(bytes);
  if (packed !== /\.gz$/i.test(file))
    warnings.push(packed ? 'is gzip-compressed despite its name' : 'is not compressed despite its name');
  const header = parseHeader(packed ? inflateStart(bytes, file) : bytes.subarray(0, HEADER_BYTES), file);
  if (!header.pair) return decode(header, bytes, file, warnings);
  const image = file.replace(/\.hdr(\.gz)?$/i, '.img$1');
  if (image === file)
    throw new UserError('data', `${file}: is the header of a pair, expected a name ending in .hdr`);
  return decode(header, await readBytes(image), image, warnings);
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new UserError('data', `${file}: cannot be read: ${(error as Error).message}`);
  }
}

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

function inflateStart(bytes: Buffer, file: string): Uint8Array {
  try {
    // A damaged or truncated end is found when the whole file is inflated.
    return gunzipSync(bytes.subarray(0, 2048), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    throw new UserError('data', `${file}: the gzip stream is damaged: ${(error as Error).message}`);
  }
}

async function decode(header: NiftiHeader, bytes: Buffer, file: string, warnings: string[]): Promise<Volume> {
  const { size, channels, type, offset } = header;
  const count = size[0] * size[1] * size[2] * channels;
  const declared = offset + count * type.bytes;
  const shape = [...size, ...(channels > 1 ? [channels] : [])].join(' x ');
  const needs = `${shape} ${type.name} voxels from byte ${offset} need ${declared} bytes`;
  let raw = bytes;
  if (isGzip(bytes)) {
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
  if (raw.length > declared) warnings.push(`has ${raw.length - declared} bytes after its voxels`);
  return {
    ...header,
    warnings: [...header.warnings, ...warnings],
    voxels: readVoxels(header, raw.subarray(offset, declared), count, file),
  };
}

function readVoxels(
  header: NiftiHeader,
  raw: Buffer,
  count: number,
  file: string,
): Float64Array | Float32Array {
  const { type, littleEndian, slope, intercept } = header;
  const plain = slope === 1 && intercept === 0;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  // Doubles only where a float32 could not hold the stored value.
  const voxels =
    type.bytes > 2 && type.name !== 'float32' ? new Float64Array(count) : new Float32Array(count);
  for (let i = 0; i < count; i++) voxels[i] = type.read(view, i * type.bytes, littleEndian);
  if (type.name.endsWith('int64')) {
    const bad = voxels.findIndex(Number.isNaN);
    if (bad >= 0)
      throw new UserError(
        'data',
        `${file}: voxel ${bad} is larger than 2^53, expected values that fit a float64`,
      );
  }
  if (plain) return voxels;
  // Scaled in double precision, so that scaled labels come out as near to integers as the header allows.
  const scaled = new Float64Array(count);
  for (let i = 0; i < count; i++) scaled[i] = (voxels[i] as number) * slope + intercept;
  return scaled;
}

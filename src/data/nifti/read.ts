// Reads a NIfTI file: inflates it under a bound that its checked header sets, and decodes its voxels.

import { readFile, stat } from 'node:fs/promises';
import { UserError } from '../../errors.js';
import { fsReason } from '../../fs-reason.js';
import { type Room, roomWithin } from '../room.js';
import { HEADER_BYTES, type NiftiHeader, parseHeader } from './header.js';
import { compressedBytes, inflateAll, inflateStart, isGzip, mostInflated } from './inflate.js';
import { decodeVoxels } from './voxels.js';

/** A decoded volume. */
export interface Volume extends NiftiHeader {
  /** The header as it stands in the file. */
  readonly head: Uint8Array;
  /** Values after slope and intercept, (channels, z, y, x). May be NaN or infinite where the file says so. */
  readonly voxels: Float64Array | Float32Array;
}

/** Bytes after the voxels that are passed over with a warning. */
const SLACK = 64 * 1024;
const ADVICE = 'close other programs, or store the volume smaller';

/** The file of a pair that holds the voxels: `a.hdr.gz` has them in `a.img.gz`. */
export function imageOfPair(header: string): string {
  return header.replace(/\.hdr(\.gz)?$/i, '.img$1');
}

/**
 * Reads a .nii, .nii.gz, or .hdr with its .img beside it. Throws a UserError of kind `data` that names file, field,
 * found and expected; memory is asked of `room` before it is taken.
 */
export async function readNifti(file: string, room: Room = roomWithin()): Promise<Volume> {
  const bytes = await readBytes(file, room);
  const packed = isGzip(bytes);
  const warnings: string[] = [];
  if (packed !== /\.gz$/i.test(file))
    warnings.push(packed ? 'is gzip-compressed despite its name' : 'is not compressed despite its name');
  const start = packed ? await startOf(bytes, file) : bytes.subarray(0, HEADER_BYTES);
  const header = parseHeader(start, file);
  const head = start.slice(0, header.version === 2 ? 540 : 348);
  if (!header.pair) return { head, ...(await decode(header, bytes, packed, file, warnings, room)) };
  const image = imageOfPair(file);
  if (image === file)
    throw new UserError('data', `${file}: is the header of a pair, expected a name ending in .hdr`);
  const imageBytes = await readBytes(image, room);
  // Plain voxels may happen to begin like a gzip stream.
  const imagePacked =
    isGzip(imageBytes) && (/\.gz$/i.test(image) || imageBytes.length < declaredBytes(header));
  return { head, ...(await decode(header, imageBytes, imagePacked, image, warnings, room)) };
}

async function readBytes(file: string, room: Room): Promise<Uint8Array> {
  const refuse = (reason: string): UserError => new UserError('data', `${file}: cannot be read: ${reason}`);
  const found = await stat(file).catch((error: unknown) => {
    throw refuse(fsReason(error));
  });
  // A pipe or device would block or never end.
  if (!found.isFile()) throw refuse('it is not a regular file');
  room({ bytes: found.size, longest: found.size, what: `${file}: its ${found.size} bytes`, advice: ADVICE });
  return readFile(file).catch((error: unknown) => {
    throw refuse(fsReason(error));
  });
}

async function startOf(gzip: Uint8Array, file: string): Promise<Uint8Array> {
  try {
    // A damaged or truncated end is found when the whole file is inflated.
    return await inflateStart(gzip, HEADER_BYTES);
  } catch (error) {
    throw new UserError(
      'data',
      `${file}: the gzip stream is damaged or truncated: ${(error as Error).message}`,
    );
  }
}

function voxelCount({ size, channels }: NiftiHeader): number {
  return size[0] * size[1] * size[2] * channels;
}

function declaredBytes(header: NiftiHeader): number {
  return header.offset + voxelCount(header) * header.type.bytes;
}

/** Bytes of the arrays that reading makes besides the file's own bytes. */
function decodingBytes(header: NiftiHeader, packed: boolean): number {
  const { type, slope, intercept } = header;
  const decoded = type.bytes > 2 ? 8 : 4;
  const scaled = slope !== 1 || intercept !== 0 ? 8 : 0;
  return (packed ? declaredBytes(header) : 0) + voxelCount(header) * (type.bytes + decoded + scaled);
}

async function decode(
  header: NiftiHeader,
  bytes: Uint8Array,
  packed: boolean,
  file: string,
  warnings: string[],
  room: Room,
): Promise<Omit<Volume, 'head'>> {
  const { size, channels, type, offset } = header;
  const declared = declaredBytes(header);
  const shape = [...size, ...(channels > 1 ? [channels] : [])].join(' x ');
  const needs = `${shape} ${type.name} voxels from byte ${offset} need ${declared} bytes`;
  if (packed && declared > mostInflated(bytes))
    throw new UserError(
      'data',
      `${file}: dim: ${needs}, more than ${compressedBytes(bytes)} compressed bytes can hold`,
    );
  if (!packed && bytes.length < declared)
    throw new UserError('data', `${file}: the file is truncated: ${needs}, found ${bytes.length}`);
  room({
    bytes: decodingBytes(header, packed),
    longest: Math.max(declared, voxelCount(header)),
    what: `${file}: dim: ${shape} ${type.name} voxels of ${inWords(header.spacing, 'mm')}`,
    advice: ADVICE,
  });
  const raw = packed
    ? await inflateAll(bytes, declared, declared + SLACK).catch((error: unknown) => {
        if (error instanceof RangeError) throw error; // no memory
        const { message } = error as Error;
        throw new UserError('data', `${file}: the gzip stream is damaged or truncated: ${message}`);
      })
    : { bytes, found: bytes.length };
  if (packed && raw.found > declared + SLACK)
    throw new UserError('data', `${file}: dim: ${needs}, found more when inflated`);
  if (raw.found < declared)
    throw new UserError('data', `${file}: the file is truncated: ${needs}, found ${raw.found}`);
  if (raw.found > declared) warnings.push('has bytes after its voxels');
  return {
    ...header,
    warnings: [...header.warnings, ...warnings],
    voxels: decodeVoxels(header, raw.bytes.subarray(offset, declared), file),
  };
}

/** Three lengths as messages say them: `0.7 x 0.7 x 2.5 mm`. */
export function inWords(extent: readonly number[], unit: string): string {
  // Seven digits are what a float32 holds.
  return `${extent.map((value) => Number(value.toPrecision(7))).join(' x ')} ${unit}`;
}

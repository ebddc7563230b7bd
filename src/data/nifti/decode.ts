// Decodes the bytes of a NIfTI file without Node.js, so that a browser reads scans with the same code. The checked header sets an
// upper limit for inflating.

import { UserError } from '../../errors.js';
import { type Room } from '../room.js';
import { compressedBytes, isGzip, mostInflated } from './gzip.js';
import { HEADER_BYTES, type NiftiHeader, parseHeader } from './header.js';
import { type Scaled, decodeVoxels, fitsFloat32 } from './voxels.js';

/** A decoded volume. */
export interface Volume extends NiftiHeader {
  /** The header as it stands in the file. */
  readonly head: Uint8Array;
  /** Values after slope and intercept, (channels, z, y, x). Some may be NaN or infinite. */
  readonly voxels: Float64Array | Float32Array;
}

/** Functions that inflate gzip streams, in Node.js or in a browser. */
export interface Inflater {
  /** The first bytes of a stream; fewer if it is shorter. Rejects if these bytes are damaged. */
  readonly start: (gzip: Uint8Array, length: number) => Promise<Uint8Array>;
  /**
   * Inflates a whole stream and keeps the first `length` bytes. Stops after more than `most` bytes. Rejects if the stream is
   * damaged or truncated.
   */
  readonly all: (
    gzip: Uint8Array,
    length: number,
    most: number,
  ) => Promise<{ readonly bytes: Uint8Array; readonly found: number }>;
}

/** The source of the bytes, and the limits of decoding. */
export interface Source {
  /** The name for messages; its ending says whether the file is compressed. */
  readonly file: string;
  readonly inflater: Inflater;
  readonly room: Room;
  /** Default: `float64`. */
  readonly scaled?: Scaled | undefined;
  /** The file of a pair that holds the voxels, and its bytes. */
  readonly image: (header: NiftiHeader) => Promise<{ readonly file: string; readonly bytes: Uint8Array }>;
}

/** The number of bytes after the voxels that are ignored with a warning. */
export const SLACK = 64 * 1024;
export const ADVICE = 'close other programs, or store the volume smaller';

/**
 * Decodes the bytes of a .nii, .nii.gz or .hdr file. Asks `room` before it allocates memory. Throws a UserError of kind `data`
 * that names file, field, found and expected.
 */
export async function decodeNifti(bytes: Uint8Array, { image, ...source }: Source): Promise<Volume> {
  const { file, inflater } = source;
  const packed = isGzip(bytes);
  const warnings = nameWarnings(file, packed);
  const start = packed ? await startOf(bytes, file, inflater) : bytes.subarray(0, HEADER_BYTES);
  const header = parseHeader(start, file);
  const head = start.slice(0, header.version === 2 ? 540 : 348);
  if (!header.pair) return { head, ...(await decode(header, bytes, packed, warnings, source)) };
  const found = await image(header);
  // Plain voxels may happen to begin like a gzip stream.
  const imagePacked =
    isGzip(found.bytes) && (/\.gz$/i.test(found.file) || found.bytes.length < declaredBytes(header));
  return {
    head,
    ...(await decode(header, found.bytes, imagePacked, warnings, { ...source, file: found.file })),
  };
}

/** Warnings about a file whose name does not say whether it is compressed. */
export function nameWarnings(file: string, packed: boolean): string[] {
  if (packed === /\.gz$/i.test(file)) return [];
  return [packed ? 'is gzip-compressed despite its name' : 'is not compressed despite its name'];
}

/** The error about a gzip stream that cannot be inflated. */
export function damagedGzip(file: string, error: unknown): UserError {
  return new UserError(
    'data',
    `${file}: the gzip stream is damaged or truncated: ${(error as Error).message}`,
  );
}

async function startOf(gzip: Uint8Array, file: string, inflater: Inflater): Promise<Uint8Array> {
  try {
    // Inflating the whole file later finds a damaged or truncated end.
    return await inflater.start(gzip, HEADER_BYTES);
  } catch (error) {
    throw damagedGzip(file, error);
  }
}

export function voxelCount({ size, channels }: NiftiHeader): number {
  return size[0] * size[1] * size[2] * channels;
}

export function declaredBytes(header: NiftiHeader): number {
  return header.offset + voxelCount(header) * header.type.bytes;
}

/** Bytes of the arrays that reading allocates in addition to the bytes of the file. */
function decodingBytes(header: NiftiHeader, packed: boolean, scaled: Scaled): number {
  const { type, slope, intercept } = header;
  const decoded = type.bytes > 2 ? 8 : 4;
  const inPlace = (slope === 1 && intercept === 0) || (scaled === 'float32' && fitsFloat32(header));
  return (
    (packed ? declaredBytes(header) : 0) + voxelCount(header) * (type.bytes + decoded + (inPlace ? 0 : 8))
  );
}

async function decode(
  header: NiftiHeader,
  bytes: Uint8Array,
  packed: boolean,
  warnings: string[],
  { file, inflater, room, scaled = 'float64' }: Omit<Source, 'image'>,
): Promise<Omit<Volume, 'head'>> {
  const { type, offset } = header;
  const declared = declaredBytes(header);
  const needs = needsInWords(header);
  if (packed && declared > mostInflated(bytes))
    throw new UserError(
      'data',
      `${file}: dim: ${needs}, more than ${compressedBytes(bytes)} compressed bytes can hold`,
    );
  if (!packed && bytes.length < declared)
    throw new UserError('data', `${file}: the file is truncated: ${needs}, found ${bytes.length}`);
  room({
    bytes: decodingBytes(header, packed, scaled),
    longest: Math.max(declared, voxelCount(header)),
    what: `${file}: dim: ${shapeInWords(header)} ${type.name} voxels of ${inWords(header.spacing, 'mm')}`,
    advice: ADVICE,
  });
  const raw = packed
    ? await inflater.all(bytes, declared, declared + SLACK).catch((error: unknown) => {
        if (error instanceof RangeError) throw error; // no memory
        throw damagedGzip(file, error);
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
    voxels: decodeVoxels(header, raw.bytes.subarray(offset, declared), file, scaled),
  };
}

/** What a header declares: `31 x 40 x 24 uint8 voxels from byte 352 need 30112 bytes`. */
export function needsInWords(header: NiftiHeader): string {
  const { type, offset } = header;
  return `${shapeInWords(header)} ${type.name} voxels from byte ${offset} need ${declaredBytes(header)} bytes`;
}

function shapeInWords({ size, channels }: NiftiHeader): string {
  return [...size, ...(channels > 1 ? [channels] : [])].join(' x ');
}

/** Three lengths for messages: `0.7 x 0.7 x 2.5 mm`. */
export function inWords(extent: readonly number[], unit: string): string {
  // A float32 has about seven digits.
  return `${extent.map((value) => Number(value.toPrecision(7))).join(' x ')} ${unit}`;
}

// Reads the voxels of a NIfTI file piece by piece, in memory that does not depend on its size.

import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { Readable, pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UserError } from '../../errors.js';
import { fsReason } from '../../fs-reason.js';
import { SLACK, damagedGzip, declaredBytes, nameWarnings, needsInWords, voxelCount } from './decode.js';
import { isGzip } from './gzip.js';
import { HEADER_BYTES, type NiftiHeader, parseHeader } from './header.js';
import { imageOfPair } from './read.js';
import { decodeVoxels } from './voxels.js';

/** A volume that is being read. */
export interface VoxelStream {
  readonly header: NiftiHeader;
  /**
   * The next voxels, after slope and intercept, as they lie in the file; fewer than `count` at the end, then none. Throws a
   * UserError of kind `data` if the file is truncated or damaged.
   */
  read(count: number): Promise<Float32Array | Float64Array>;
  /** To be called after the last voxel: checks the rest of the file, and returns warnings. */
  end(): Promise<string[]>;
  /** Stops reading; harmless after the end. */
  close(): Promise<void>;
}

/** Opens a .nii, .nii.gz, or .hdr with its .img beside it. Throws a UserError of kind `data`. */
export async function openVoxels(file: string): Promise<VoxelStream> {
  const packed = await beginsAsGzip(file);
  const warnings = nameWarnings(file, packed);
  const bytes = new ByteReader(file, packed);
  let header: NiftiHeader;
  try {
    header = parseHeader(await bytes.peek(HEADER_BYTES), file);
  } catch (error) {
    await bytes.close();
    throw error;
  }
  warnings.push(...header.warnings);
  if (!header.pair) return voxelsFrom(bytes, header, warnings);
  await bytes.close();
  const image = imageOfPair(file);
  if (image === file)
    throw new UserError('data', `${file}: is the header of a pair, expected a name ending in .hdr`);
  // Plain voxels may happen to begin like a gzip stream.
  const imagePacked =
    (await beginsAsGzip(image)) && (/\.gz$/i.test(image) || (await stat(image)).size < declaredBytes(header));
  return voxelsFrom(new ByteReader(image, imagePacked), header, warnings);
}

async function voxelsFrom(bytes: ByteReader, header: NiftiHeader, warnings: string[]): Promise<VoxelStream> {
  const { file } = bytes;
  const width = header.type.bytes;
  let left = voxelCount(header);
  const truncated = (found: number): UserError =>
    new UserError('data', `${file}: the file is truncated: ${needsInWords(header)}, found ${found}`);
  try {
    const skipped = await bytes.skip(header.offset);
    if (skipped < header.offset) throw truncated(skipped);
  } catch (error) {
    await bytes.close();
    throw error;
  }
  return {
    header,
    async read(count) {
      const wanted = Math.min(count, left);
      const raw = await bytes.take(wanted * width);
      if (raw.length < wanted * width) throw truncated(bytes.taken);
      left -= wanted;
      return decodeVoxels(header, raw, file);
    },
    async end() {
      const more = await bytes.skip(SLACK + 1);
      await bytes.close();
      if (bytes.packed && more > SLACK)
        throw new UserError('data', `${file}: dim: ${needsInWords(header)}, found more when inflated`);
      return more > 0 ? [...warnings, 'has bytes after its voxels'] : warnings;
    },
    close: () => bytes.close(),
  };
}

async function beginsAsGzip(file: string): Promise<boolean> {
  const refuse = (reason: string): UserError => new UserError('data', `${file}: cannot be read: ${reason}`);
  try {
    // A pipe or device would block or never end.
    if (!(await stat(file)).isFile()) throw refuse('it is not a regular file');
    const handle = await open(file);
    try {
      const start = new Uint8Array(2);
      await handle.read(start, 0, 2, 0);
      return isGzip(start);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw error instanceof UserError ? error : refuse(fsReason(error));
  }
}

/** The bytes of a file, inflated if it is packed, in pieces of any length. */
class ByteReader {
  /** Bytes that were taken or skipped so far. */
  taken = 0;
  readonly #stream: Readable;
  readonly #parts: AsyncIterator<Buffer>;
  #rest: Uint8Array = new Uint8Array();

  constructor(
    readonly file: string,
    readonly packed: boolean,
  ) {
    const stored = createReadStream(file, { highWaterMark: 256 * 1024 });
    // Errors reach the reader of the last stream.
    this.#stream = packed
      ? pipeline(stored, createGunzip({ chunkSize: 256 * 1024 }), () => undefined)
      : stored;
    this.#parts = this.#stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** The next bytes, fewer at the end. They may lie in a larger buffer. */
  async take(count: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [this.#rest];
    let found = this.#rest.length;
    while (found < count) {
      const part = await this.#next();
      if (part === undefined) break;
      parts.push(part);
      found += part.length;
    }
    const all = parts.length === 1 ? this.#rest : Buffer.concat(parts);
    this.#rest = all.subarray(count);
    const taken = all.subarray(0, count);
    this.taken += taken.length;
    return taken;
  }

  /** The next bytes, which are then read again. */
  async peek(count: number): Promise<Uint8Array> {
    const start = await this.take(count);
    this.taken -= start.length;
    this.#rest = Buffer.concat([start, this.#rest]);
    return start;
  }

  /** Passes over bytes; returns how many there were. */
  async skip(count: number): Promise<number> {
    let skipped = 0;
    for (;;) {
      const { length } = await this.take(Math.min(count - skipped, 1 << 20));
      skipped += length;
      if (length === 0 || skipped === count) return skipped;
    }
  }

  async close(): Promise<void> {
    this.#stream.destroy();
    await this.#parts.return?.().catch(() => undefined);
  }

  async #next(): Promise<Uint8Array | undefined> {
    try {
      const next = await this.#parts.next();
      return next.done === true ? undefined : next.value;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw this.packed && (code?.startsWith('Z_') || code === 'ERR_STREAM_PREMATURE_CLOSE')
        ? damagedGzip(this.file, error)
        : new UserError('data', `${this.file}: cannot be read: ${fsReason(error)}`);
    }
  }
}

// Inflates gzip streams piece by piece, and never further than was asked for: a few kilobytes may stand for gigabytes.

import { createGunzip } from 'node:zlib';

// DEFLATE cannot do better than this: 258 bytes for every two bits.
const MAX_RATIO = 1032;
const FLAGS = { headerChecksum: 2, extra: 4, name: 8, comment: 16 } as const;

/** Whether bytes begin as a gzip stream does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Bytes of compressed data: without the first header, whose name, comment and extra field may be of any length. */
export function compressedBytes(gzip: Uint8Array): number {
  const flags = gzip[3] ?? 0;
  let at = 10;
  if (flags & FLAGS.extra) at += 2 + ((gzip[at] ?? 0) | ((gzip[at + 1] ?? 0) << 8));
  for (const text of [FLAGS.name, FLAGS.comment])
    if (flags & text) {
      const end = gzip.indexOf(0, at);
      at = end < 0 ? gzip.length : end + 1;
    }
  if (flags & FLAGS.headerChecksum) at += 2;
  return Math.max(0, gzip.length - at);
}

/** More than a gzip stream can hold. */
export function mostInflated(gzip: Uint8Array): number {
  return MAX_RATIO * compressedBytes(gzip);
}

/** The stream's first bytes; fewer if it holds no more. Rejects if it is damaged before. */
export async function inflateStart(gzip: Uint8Array, length: number): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let found = 0;
  // Leaving the loop ends the stream.
  for await (const part of inflated(gzip, 1024)) {
    parts.push(part);
    found += part.length;
    if (found >= length) break;
  }
  return Buffer.concat(parts).subarray(0, length);
}

/**
 * Inflates a whole stream, all members of it, of which the first `length` bytes are kept. Stops where it has found more
 * than `most`. Rejects if the stream is damaged or truncated.
 */
export async function inflateAll(
  gzip: Uint8Array,
  length: number,
  most: number,
): Promise<{ readonly bytes: Uint8Array; readonly found: number }> {
  // The system gives pages of it only as they are written to, so a length that is not true costs nothing.
  const bytes = new Uint8Array(length);
  let found = 0;
  for await (const part of inflated(gzip, 128 * 1024)) {
    if (found < length) bytes.set(part.subarray(0, length - found), found);
    found += part.length;
    if (found > most) break;
  }
  return { bytes: bytes.subarray(0, Math.min(found, length)), found };
}

/** What a stream holds, part by part: the next is inflated when it is asked for. */
function inflated(gzip: Uint8Array, chunkSize: number): AsyncIterable<Buffer> {
  const stream = createGunzip({ chunkSize });
  stream.end(gzip);
  return stream;
}

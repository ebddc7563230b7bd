// Inflates gzip streams piece by piece, and never further than was asked for: a few kilobytes may stand for gigabytes.

import { createGunzip } from 'node:zlib';

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

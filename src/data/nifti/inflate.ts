// Inflates gzip streams piece by piece and never further than necessary, since a few kilobytes can inflate to gigabytes.

import { createGunzip } from 'node:zlib';

/** The first bytes of a stream; fewer if it is shorter. Rejects if these bytes are damaged. */
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
 * Inflates all members of a stream and keeps the first `length` bytes. Stops after more than `most` bytes. Rejects if the stream
 * is damaged or truncated.
 */
export async function inflateAll(
  gzip: Uint8Array,
  length: number,
  most: number,
): Promise<{ readonly bytes: Uint8Array; readonly found: number }> {
  // The system provides pages only when they are written, so a false length costs no memory.
  const bytes = new Uint8Array(length);
  let found = 0;
  for await (const part of inflated(gzip, 128 * 1024)) {
    if (found < length) bytes.set(part.subarray(0, length - found), found);
    found += part.length;
    if (found > most) break;
  }
  return { bytes: bytes.subarray(0, Math.min(found, length)), found };
}

/** The content of a stream, piece by piece; the next piece is inflated on demand. */
function inflated(gzip: Uint8Array, chunkSize: number): AsyncIterable<Buffer> {
  const stream = createGunzip({ chunkSize });
  stream.end(gzip);
  return stream;
}

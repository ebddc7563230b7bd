// What the bytes of a gzip stream say of it before it is inflated.

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

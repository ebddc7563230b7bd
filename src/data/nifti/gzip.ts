// Facts about a gzip stream from its bytes, without inflating it.

// The best compression that DEFLATE allows: 258 bytes for every two bits.
const MAX_RATIO = 1032;
const FLAGS = { headerChecksum: 2, extra: 4, name: 8, comment: 16 } as const;

/** Whether bytes begin like a gzip stream. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Bytes of compressed data: without the first header, whose name, comment and extra field can have any length. */
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

/** An upper limit of the bytes that a gzip stream can contain. */
export function mostInflated(gzip: Uint8Array): number {
  return MAX_RATIO * compressedBytes(gzip);
}

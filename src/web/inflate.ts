// Inflates and deflates gzip streams with functions that browsers and Node.js share.

import { type Inflater } from '../data/nifti/decode.js';

/** If a file has several gzip members, browsers read only the first. */
export const inflater: Inflater = {
  start: async (gzip, length) => (await inflate(gzip, length, length - 1)).bytes,
  all: inflate,
};

/** Keeps the first `length` bytes of a stream; stops after more than `most` bytes. */
async function inflate(
  gzip: Uint8Array,
  length: number,
  most: number,
): Promise<{ bytes: Uint8Array; found: number }> {
  const bytes = new Uint8Array(length);
  const reader = throughStream(
    new Blob([gzip as Uint8Array<ArrayBuffer>]),
    new DecompressionStream('gzip'),
  ).getReader();
  let found = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (found < length) bytes.set(part.value.subarray(0, length - found), found);
    found += part.value.length;
    if (found <= most) continue;
    await reader.cancel();
    break;
  }
  return { bytes: bytes.subarray(0, Math.min(found, length)), found };
}

/** A gzip stream of some bytes. */
export async function deflate(parts: readonly Uint8Array[]): Promise<Uint8Array> {
  const stream = throughStream(new Blob(parts as Uint8Array<ArrayBuffer>[]), new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function throughStream(
  from: Blob,
  { readable, writable }: DecompressionStream | CompressionStream,
): ReadableStream<Uint8Array> {
  return from.stream().pipeThrough({ readable, writable });
}

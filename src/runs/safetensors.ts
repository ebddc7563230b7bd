// The safetensors format: 8 bytes of header length, a JSON header, then the tensors' bytes. Written with a checksum in
// the metadata; read strictly, since a file may be damaged or forged.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { UserError } from '../errors.js';
import { elementCount } from '../network/parameters.js';
import { type Tensor, type Weights } from '../network/weights.js';

const MAX_HEADER = 100 * 1024 * 1024;
const CHECKSUM = 'sha256';

/** Tensors by name and strings by key. */
export interface TensorFile {
  readonly tensors: Weights;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Encodes float32 tensors and metadata, with a checksum over both. */
export function encodeSafetensors({ tensors, metadata }: TensorFile): Uint8Array {
  let at = 0;
  const entries = [...tensors].map(([name, { shape, data }]) => {
    const begin = at;
    at += data.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, at] }] as const;
  });
  const data = Buffer.concat(
    [...tensors.values()].map((tensor) =>
      Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength),
    ),
  );
  const checksum = checksumOf(entries, metadata, data);
  const json = JSON.stringify({
    __metadata__: { ...metadata, [CHECKSUM]: checksum },
    ...Object.fromEntries(entries),
  });
  // Padded, so that the tensors start aligned.
  const header = Buffer.from(json.padEnd(json.length + ((8 - (Buffer.byteLength(json) % 8)) % 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, data]);
}

function checksumOf(
  entries: readonly (readonly [string, unknown])[],
  metadata: object,
  data: Uint8Array,
): string {
  return createHash('sha256')
    .update(JSON.stringify([entries, metadata]))
    .update(data)
    .digest('hex');
}

/** Reads a safetensors file of float32 tensors. Throws a UserError of kind `data` naming what is wrong with it. */
export function readSafetensors(path: string): TensorFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UserError('data', `${path}: cannot be read: ${(error as Error).message}`);
  }
  return decodeSafetensors(bytes, path);
}

/** Decodes the bytes of a safetensors file; `source` names it in messages. Throws a UserError of kind `data`. */
export function decodeSafetensors(bytes: Buffer, source: string): TensorFile {
  const fail = (problem: string): never => {
    throw new UserError('data', `${source}: is damaged or no safetensors file: ${problem}`);
  };
  if (bytes.length < 8) fail(`found ${bytes.length} bytes, expected a header`);
  const length = Number(bytes.readBigUInt64LE(0));
  if (length > MAX_HEADER || length > bytes.length - 8)
    fail(`the header claims ${length} bytes, found ${bytes.length - 8}`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch {
    fail('the header is not JSON');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) fail('the header is not an object');
  const { __metadata__: found = {}, ...rest } = json as Record<string, unknown>;
  const data = bytes.subarray(8 + length);
  const metadata = readMetadata(found, fail);
  const tensors = new Map<string, Tensor>();
  let expected = 0;
  const entries = Object.entries(rest);
  for (const [name, entry] of entries) {
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
    if (dtype !== 'F32') fail(`${name}: found type ${String(dtype)}, expected F32`);
    if (!isCounts(shape) || !isCounts(offsets) || offsets.length !== 2) return fail(`${name}: is malformed`);
    const [begin, end] = offsets as [number, number];
    const bytesNeeded = 4 * elementCount(shape);
    if (begin !== expected || end - begin !== bytesNeeded || end > data.length)
      fail(`${name}: found bytes ${begin} to ${end}, expected ${expected} to ${expected + bytesNeeded}`);
    expected = end;
    tensors.set(name, { shape, data: new Float32Array(Uint8Array.from(data.subarray(begin, end)).buffer) });
  }
  if (expected !== data.length) fail(`found ${data.length} bytes of tensors, expected ${expected}`);
  const { [CHECKSUM]: checksum, ...own } = metadata;
  if (checksum !== undefined && checksum !== checksumOf(entries, own, data))
    fail('its checksum does not fit');
  return { tensors, metadata: own };
}

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);

function readMetadata(found: unknown, fail: (problem: string) => never): Record<string, string> {
  if (typeof found !== 'object' || found === null) return fail('its metadata is no object');
  const entries = Object.entries(found);
  if (entries.some(([, value]) => typeof value !== 'string'))
    fail('its metadata holds something else than strings');
  return Object.fromEntries(entries);
}

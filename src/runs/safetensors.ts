// The safetensors format: 8 bytes of header length, a JSON header, then the tensors' bytes. Written with a digest over
// the whole file in the metadata; read strictly, since a file may be damaged or forged.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { UserError } from '../errors.js';
import { fsReason } from '../fs-reason.js';
import { elementCount } from '../network/parameters.js';
import { type Weights } from '../network/weights.js';

const MAX_HEADER_IN_BYTES = 100_000_000;
const ENTRY_KEYS = ['data_offsets', 'dtype', 'shape'].join();
const NO_DIGEST = '0'.repeat(64);

/** Tensors by name and strings by key. */
export interface TensorFile {
  readonly tensors: Weights;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The bytes of a file with these tensors. Its metadata gains `sha256`: the digest of the whole file with that field
 * as zeros, so that any flipped bit is noticed.
 */
export function encodeSafetensors({ tensors, metadata }: TensorFile): Uint8Array {
  const header: Record<string, unknown> = {
    __metadata__: { ...metadata, sha256: NO_DIGEST },
  };
  let end = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const headerLength = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + headerLength + end, ' ');
  bytes.writeBigUInt64LE(BigInt(headerLength));
  json.copy(bytes, 8);
  let at = 8 + headerLength;
  for (const { data } of tensors.values()) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  const digest = createHash('sha256').update(bytes).digest('hex');
  bytes.write(digest, bytes.indexOf(digestField(NO_DIGEST)) + digestField('').length - 1, 'latin1');
  return bytes;
}

const digestField = (digest: string): string => `"sha256":"${digest}"`;

/**
 * Reads a safetensors file of float32 tensors. Throws a UserError of kind `data` that names the file if it cannot be
 * read, or if anything in it is missing, doubled, left over, or does not fit the digest. A file without digest, as other
 * programs write it, is refused: a damaged one of ours looks the same.
 */
export function readSafetensors(path: string): TensorFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UserError('data', `${path}: cannot be read: ${fsReason(error)}`);
  }
  return decodeSafetensors(bytes, path);
}

/** Decodes the bytes of a safetensors file; `file` names it in messages. See `readSafetensors`. */
function decodeSafetensors(bytes: Buffer, file: string): TensorFile {
  const damaged = (problem: string): UserError =>
    new UserError('data', `${file}: ${problem}; expected a complete safetensors file`);
  if (bytes.length < 8) throw damaged(`found ${bytes.length} bytes`);
  const length = bytes.readBigUInt64LE();
  if (length > MAX_HEADER_IN_BYTES || Number(length) > bytes.length - 8)
    throw damaged(`found a header of ${length} bytes in a file of ${bytes.length}`);
  const dataStart = 8 + Number(length);
  const text = bytes.toString('utf8', 8, dataStart);
  const header = parseObject(text);
  if (header === undefined || !Buffer.from(text).equals(bytes.subarray(8, dataStart)))
    throw damaged('the header is not a JSON object of UTF-8 text');
  const twice = repeatedKey(text);
  if (twice !== undefined) throw damaged(`the header has the key ${JSON.stringify(twice)} twice`);

  const metadata: Record<string, string> = {};
  const spans: { name: string; shape: number[]; begin: number; end: number }[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!isObject(entry)) throw damaged('the metadata are no object');
      for (const [key, value] of Object.entries(entry)) {
        if (typeof value !== 'string') throw damaged(`the metadata ${key} is not text`);
        metadata[key] = value;
      }
    } else {
      const span = parseEntry(entry);
      if (typeof span === 'string') throw damaged(`${name}: ${span}`);
      spans.push({ name, ...span });
    }
  }
  let at = 0;
  for (const { name, begin, end } of [...spans].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) throw damaged(`${name}: starts at ${begin}, not where the data before it end (${at})`);
    at = end;
  }
  if (dataStart + at !== bytes.length)
    throw damaged(`found ${bytes.length} bytes, but the header tells of ${dataStart + at}`);

  const { sha256: written, ...own } = metadata;
  if (written === undefined) throw damaged('the digest sha256 is missing');
  if (written !== contentDigest(bytes, dataStart, written))
    throw damaged('the content does not fit its digest sha256');
  const tensors = new Map(
    spans.map(({ name, shape, begin, end }) => {
      const data = new Float32Array(
        Uint8Array.from(bytes.subarray(dataStart + begin, dataStart + end)).buffer,
      );
      return [name, { shape, data }];
    }),
  );
  return { tensors, metadata: own };
}

/** The digest of a file with the digest's own field as zeros; undefined if the field is not there as written. */
function contentDigest(bytes: Buffer, dataStart: number, written: string): string | undefined {
  const at = bytes.subarray(0, dataStart).indexOf(digestField(written));
  if (at < 0 || written.length !== NO_DIGEST.length) return undefined;
  const start = at + digestField('').length - 1;
  return createHash('sha256')
    .update(bytes.subarray(0, start))
    .update(NO_DIGEST)
    .update(bytes.subarray(start + NO_DIGEST.length))
    .digest('hex');
}

function parseEntry(entry: unknown): { shape: number[]; begin: number; end: number } | string {
  if (!isObject(entry) || Object.keys(entry).sort().join() !== ENTRY_KEYS)
    return 'found other keys than dtype, shape and data_offsets';
  const { dtype, shape, data_offsets: offsets } = entry;
  if (dtype !== 'F32') return `found the type ${String(dtype)}, only F32 is read`;
  if (!isSizes(shape) || !isSizes(offsets)) return 'found a shape or offsets that are not whole numbers';
  const [begin = 0, end = 0] = offsets;
  const size = 4 * elementCount(shape);
  if (offsets.length !== 2 || !Number.isSafeInteger(size) || end - begin !== size)
    return `found offsets ${offsets.join(' to ')}, expected ${size} bytes`;
  return { shape, begin, end };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A key that stands twice in an object of valid JSON; JSON.parse would silently keep the last one. */
function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (let at = 0; at < json.length; at++) {
    if (json[at] === '{') open.push(new Set());
    else if (json[at] === '}') open.pop();
    else if (json[at] === '"') {
      const start = at++;
      while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
      let next = at + 1;
      while (/\s/.test(json[next] ?? '')) next++;
      if (json[next] !== ':') continue;
      const key = JSON.parse(json.slice(start, at + 1)) as string;
      if (open.at(-1)?.has(key)) return key;
      open.at(-1)?.add(key);
    }
  }
  return undefined;
}

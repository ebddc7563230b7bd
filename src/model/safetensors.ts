// Decodes the safetensors format: 8 bytes with the length of the header, a JSON header, then the bytes of the tensors. The checks
// are strict, since a file may be damaged or forged. Without Node.js, so that a browser reads models with the same code.

import { elementCount } from '../network/parameters.js';
import { type Tensor, type Weights } from '../network/weights.js';
import { CheckError } from './check.js';

const MAX_HEADER_IN_BYTES = 100_000_000;
const ENTRY_KEYS = ['data_offsets', 'dtype', 'shape'].join();

/** The content of a file. */
export interface Decoded {
  readonly tensors: Weights;
  /** All metadata of the file, including the digest. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Offset of the first tensor in bytes. */
  readonly dataStart: number;
}

/**
 * Decodes the bytes of a safetensors file of float32 tensors. Throws a CheckError if anything is missing, doubled, left over or
 * of another type. Does not check the digest.
 */
export function decodeSafetensors(bytes: Uint8Array): Decoded {
  const damaged = (problem: string): CheckError => new CheckError(problem);
  if (bytes.length < 8) throw damaged(`found ${bytes.length} bytes`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > MAX_HEADER_IN_BYTES || Number(length) > bytes.length - 8)
    throw damaged(`found a header of ${length} bytes in a file of ${bytes.length}`);
  const dataStart = 8 + Number(length);
  const text = decodeText(bytes.subarray(8, dataStart));
  const header = text === undefined ? undefined : parseObject(text);
  if (text === undefined || header === undefined)
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

  const tensors = new Map(
    spans.map(({ name, shape, begin, end }): [string, Tensor] => {
      const data = new Float32Array(
        Uint8Array.from(bytes.subarray(dataStart + begin, dataStart + end)).buffer,
      );
      return [name, { shape, data }];
    }),
  );
  return { tensors, metadata, dataStart };
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

/** Strict UTF-8; undefined if the bytes are not UTF-8. */
function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A key that occurs twice in an object of valid JSON; JSON.parse would silently keep the last one. */
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

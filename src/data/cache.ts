// A cache of preprocessed datasets on disk, so that a second start need not read and preprocess again. Its key depends on
// everything that determines the content, and its content is checked against digests when it is read.

import { createHash, webcrypto } from 'node:crypto';
import { open, readFile, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Experiment } from '../config/schema.js';
import { makeFolders } from '../make-folders.js';
import { removeAbandoned, temporaryPath } from '../runs/temporary.js';
import { type CaseSource, type PreparedCase } from './case.js';
import { imageOfPair } from './nifti/read.js';

const ENDING = '.lunet-cache';
/** The ending of files with one case each: see store/. */
export const CASE_ENDING = '.lunet-case';
/** Length of the head (uint32, little-endian), then its SHA-256. */
const PREFIX_BYTES = 4 + 32;
const MAX_BYTES = 8 * 2 ** 30;
const AT_ONCE = 8;

type CachedCase = Omit<PreparedCase, 'bytes'> & { readonly length: number };

/**
 * The cache key of these cases: a digest of the paths, sizes and times of their files, the settings that matter, and the code of
 * the preprocessing.
 */
export async function cacheKey(
  cases: readonly CaseSource[],
  { dataset, preprocessing }: Experiment,
): Promise<string> {
  const { labels, ignore, nonFinite, affineMismatch, others } = dataset;
  const hash = createHash('sha256');
  const settings = [labels, ignore, nonFinite, affineMismatch, others, preprocessing];
  hash.update(JSON.stringify([endianness(), ...settings, cases]));
  const files = cases.flatMap((source) => ('images' in source ? [...source.images, source.label] : []));
  // Of a pair of files (.hdr, .img), the voxels are in the second one.
  const all = [...new Set(files.flatMap((file) => [file, imageOfPair(file)]))];
  const stamps = await Promise.all(
    all.map(async (file) => {
      const found = await stat(file, { bigint: true }).catch(() => undefined);
      return found ? `${found.size} ${found.mtimeNs} ${found.ctimeNs}` : 'absent';
    }),
  );
  return hash
    .update(stamps.join())
    .update(await codeDigest())
    .digest('hex');
}

let code: Promise<string> | undefined;

/** SHA-256 of the modules in this folder, which determine the content of the cache. */
const codeDigest = (): Promise<string> => (code ??= digestCode());

async function digestCode(): Promise<string> {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.js')).sort();
  const hash = createHash('sha256');
  for (const text of await Promise.all(names.map((name) => readFile(join(folder, name))))) hash.update(text);
  return hash.digest('hex');
}

/** The cached cases of a key; undefined if there are none, or the file is damaged. Rejects if `signal` aborts. */
export async function readCache(
  folder: string,
  key: string,
  progress?: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<PreparedCase[] | undefined> {
  const path = join(folder, key + ENDING);
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return undefined;
  const readAt = async (length: number, position: number): Promise<ArrayBuffer> => {
    const buffer = new ArrayBuffer(length);
    let at = 0;
    while (at < length) {
      const { bytesRead } = await file.read(new Uint8Array(buffer, at), 0, length - at, position + at);
      if (bytesRead === 0) throw new Error('the file is truncated');
      at += bytesRead;
    }
    return buffer;
  };
  const digestOf = async (bytes: ArrayBuffer): Promise<string> =>
    // webcrypto computes the digest on the thread pool.
    Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex');
  try {
    const { size } = await file.stat();
    const prefix = Buffer.from(await readAt(PREFIX_BYTES, 0));
    const headBytes = prefix.readUInt32LE(0);
    if (PREFIX_BYTES + headBytes > size) return undefined;
    const head = await readAt(headBytes, PREFIX_BYTES);
    if ((await digestOf(head)) !== prefix.subarray(4).toString('hex')) return undefined;
    const entries = JSON.parse(Buffer.from(head).toString()) as CachedCase[];
    const starts: number[] = [];
    let end = PREFIX_BYTES + headBytes;
    for (const { length } of entries) {
      starts.push(end);
      end += length;
    }
    if (end !== size) return undefined;
    const cases = new Array<PreparedCase>(entries.length);
    let [next, done] = [0, 0];
    const reader = async (): Promise<void> => {
      for (let index = next++; index < entries.length; index = next++) {
        signal?.throwIfAborted();
        const { length, ...rest } = entries[index] as CachedCase;
        const bytes = await readAt(length, starts[index] as number);
        if ((await digestOf(bytes)) !== rest.digest) throw new Error('a case is damaged');
        cases[index] = { ...rest, bytes };
        progress?.(++done, entries.length);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, reader));
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined);
    return cases;
  } catch {
    signal?.throwIfAborted();
    // Ignore every problem with a cache: the source files still exist.
    return undefined;
  } finally {
    await file.close();
  }
}

/** Caches cases under a key with an atomic write. Rejects if they cannot be written. */
export async function writeCache(folder: string, key: string, cases: readonly PreparedCase[]): Promise<void> {
  const head = Buffer.from(
    JSON.stringify(cases.map(({ bytes, ...rest }): CachedCase => ({ ...rest, length: bytes.byteLength }))),
  );
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32LE(head.length);
  createHash('sha256').update(head).digest().copy(prefix, 4);
  const total = cases.reduce((sum, { bytes }) => sum + bytes.byteLength, prefix.length + head.length);
  if (total > MAX_BYTES) return;
  makeFolders(folder);
  await makeRoom(folder, total);
  const temporary = temporaryPath(folder, key);
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      for (const part of [prefix, head, ...cases.map(({ bytes }) => new Uint8Array(bytes))])
        await file.writeFile(part);
    } finally {
      await file.close();
    }
    await rename(temporary, join(folder, key + ENDING));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Removes the least recently used caches until `bytes` more fit under the limit, except for the paths in `kept`, and temporary
 * files of killed processes.
 */
export async function makeRoom(
  folder: string,
  bytes: number,
  kept: ReadonlySet<string> = new Set(),
): Promise<void> {
  removeAbandoned(folder);
  const names = (await readdir(folder)).filter((name) => name.endsWith(ENDING) || name.endsWith(CASE_ENDING));
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined);
      return { path, size: found?.size ?? 0, used: found?.mtimeMs ?? 0 };
    }),
  );
  let total = bytes + files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of files.sort((a, b) => a.used - b.used)) {
    if (total <= MAX_BYTES) break;
    if (kept.has(path)) continue;
    await rm(path, { force: true });
    total -= size;
  }
}

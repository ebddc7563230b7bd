// A file with one prepared case at its own size, which is read in parts: a head with facts and digests, the image, the label,
// and positions of foreground.

import { createHash } from 'node:crypto';
import { close as closeCallback, open as openCallback, read as readCallback } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import { removeAbandoned, temporaryPath } from '../../runs/temporary.js';
import { sha256 } from '../../sha256.js';
import { type CaseFacts, type PreparedCase } from '../case.js';

/** Length of the head (uint32, little-endian), then its SHA-256. */
const PREFIX_BYTES = 4 + 32;
/** Bytes that are read and hashed at a time. */
const PART_BYTES = 2 ** 22;
/** No head is longer: it has up to 10,000 intensities of each channel. */
const MOST_HEAD_BYTES = 2 ** 26;

interface Head {
  readonly facts: CaseFacts;
  /** Numbers of foreground positions by output, and SHA-256 of all of them as uint32. */
  readonly positions: { readonly counts: readonly number[]; readonly digest: string };
}

/** An open file of a prepared case. */
export interface CaseFile {
  readonly facts: CaseFacts;
  /** By output: positions of its voxels in the label volume, ascending. */
  readonly positions: readonly Uint32Array[];
  /** The descriptor, and where image and label begin. It stays open while the process runs, even if the file is removed. */
  readonly file: number;
  readonly imageAt: number;
  readonly labelAt: number;
}

/** Writes a case atomically. Rejects with the error of the file system. */
export async function writeCaseFile(
  path: string,
  { bytes, ...facts }: PreparedCase,
  positions: readonly Uint32Array[],
): Promise<void> {
  const foreground = Buffer.concat(positions.map(bytesOf));
  const counts = positions.map(({ length }) => length);
  const head = Buffer.from(
    JSON.stringify({ facts, positions: { counts, digest: sha256(foreground) } } satisfies Head),
  );
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32LE(head.length);
  createHash('sha256').update(head).digest().copy(prefix, 4);
  removeAbandoned(dirname(path));
  const temporary = temporaryPath(dirname(path), basename(path));
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      for (const part of [prefix, head, new Uint8Array(bytes), foreground]) await file.writeFile(part);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Opens the file of a case and checks all its digests; undefined if there is none or it is damaged. */
export async function openCaseFile(path: string, signal?: AbortSignal): Promise<CaseFile | undefined> {
  const file = await promisify(openCallback)(path, 'r').catch(() => undefined);
  if (file === undefined) return undefined;
  const found = await checkedCase(file, signal).catch(() => undefined);
  if (found === undefined) await promisify(closeCallback)(file);
  signal?.throwIfAborted();
  return found;
}

async function checkedCase(file: number, signal: AbortSignal | undefined): Promise<CaseFile | undefined> {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  await readFully(file, prefix, 0);
  const length = prefix.readUInt32LE(0);
  if (length > MOST_HEAD_BYTES) return undefined;
  const text = Buffer.alloc(length);
  await readFully(file, text, PREFIX_BYTES);
  if (sha256(text) !== prefix.subarray(4).toString('hex')) return undefined;
  const { facts, positions } = JSON.parse(text.toString()) as Head;
  const voxels = facts.grid[0] * facts.grid[1] * facts.grid[2];
  const imageAt = PREFIX_BYTES + length;
  const labelAt = imageAt + 4 * facts.channels * voxels;
  const end = labelAt + voxels;
  if ((await digestOf(file, imageAt, end, signal)) !== facts.digest) return undefined;
  const all = new Uint32Array(positions.counts.reduce((sum, count) => sum + count, 0));
  await readFully(file, bytesOf(all), end);
  if (sha256(bytesOf(all)) !== positions.digest) return undefined;
  let at = 0;
  const byOutput = positions.counts.map((count) => all.subarray(at, (at += count)));
  return { facts, positions: byOutput, file, imageAt, labelAt };
}

async function digestOf(
  file: number,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = createHash('sha256');
  const part = new Uint8Array(Math.min(PART_BYTES, end - start));
  for (let at = start; at < end; at += part.length) {
    signal?.throwIfAborted();
    const bytes = part.subarray(0, Math.min(part.length, end - at));
    await readFully(file, bytes, at);
    hash.update(bytes);
  }
  return hash.digest('hex');
}

const read = promisify(readCallback);
/** The most that one call reads. */
const MOST_BYTES = 2 ** 30;

/** Fills `bytes` from a position of a file. Rejects if the file ends before. */
export async function readFully(file: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const wanted = Math.min(bytes.length - at, MOST_BYTES);
    const { bytesRead } = await read(file, bytes, at, wanted, position + at);
    if (bytesRead === 0) throw new Error('the file is truncated');
    at += bytesRead;
  }
}

/** The bytes of an array, without a copy. */
export function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

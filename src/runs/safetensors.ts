// Files in the safetensors format (src/model/safetensors.ts decodes it), written with a digest of the whole file in the
// metadata, so that damage is detected.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { UserError } from '../errors.js';
import { fsReason } from '../fs-reason.js';
import { CheckError } from '../model/check.js';
import { decodeSafetensors } from '../model/safetensors.js';
import { type Weights } from '../network/weights.js';
import { sha256 } from '../sha256.js';

const NO_DIGEST = '0'.repeat(64);

/** Tensors by name and strings by key. */
export interface TensorFile {
  readonly tensors: Weights;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The bytes of a file with these tensors. Adds `sha256` to the metadata: the digest of the whole file with zeros in that
 * field, so that any flipped bit is detected.
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
  const digest = sha256(bytes);
  bytes.write(digest, bytes.indexOf(digestField(NO_DIGEST)) + digestField('').length - 1, 'latin1');
  return bytes;
}

const digestField = (digest: string): string => `"sha256":"${digest}"`;

/**
 * Reads a safetensors file of float32 tensors. Throws a UserError of kind `data` that names the file if it cannot be
 * read, if anything in it is missing, repeated or left over, or if it does not match the digest. Refuses files without a
 * digest, as other programs write them: a damaged file of lunet may look the same.
 */
export function readSafetensors(path: string): TensorFile {
  return decodeSealed(readBytes(path), path);
}

/** A file's content with the SHA-256 of the whole file. */
export interface DigestedFile extends TensorFile {
  readonly digest: string;
}

/** The same with the SHA-256 of the whole file, which is read once. */
export function readWithDigest(path: string): DigestedFile {
  const bytes = readBytes(path);
  return { ...decodeSealed(bytes, path), digest: sha256(bytes) };
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError('data', `${path}: cannot be read: ${fsReason(error)}`);
  }
}

/** Decodes the bytes of a file and checks them against their digest; `file` names it in messages. See `readSafetensors`. */
function decodeSealed(bytes: Buffer, file: string): TensorFile {
  const damaged = (problem: string): UserError =>
    new UserError('data', `${file}: ${problem}; expected a complete safetensors file`);
  try {
    const { tensors, metadata, dataStart } = decodeSafetensors(bytes);
    const { sha256: written, ...own } = metadata;
    if (written === undefined) throw damaged('the digest sha256 is missing');
    if (written !== contentDigest(bytes, dataStart, written))
      throw damaged('the content does not match its digest sha256');
    return { tensors, metadata: own };
  } catch (error) {
    throw error instanceof CheckError ? damaged(error.message) : error;
  }
}

/** The digest of a file with zeros in the digest field; undefined if the field is not in its expected form. */
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

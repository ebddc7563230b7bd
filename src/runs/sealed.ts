// Sealed JSON files: their last key `sha256` is a digest of their text, so that lunet detects a flipped bit, a lost line or a
// change by hand. Other programs can read them as plain JSON.

import { sha256 } from '../sha256.js';

/** The text of a sealed file: the JSON of the value, with the digest of that JSON as its last key. */
export function seal(value: object): string {
  const digest = sha256(JSON.stringify(value, null, 2));
  return `${JSON.stringify({ ...value, sha256: digest }, null, 2)}\n`;
}

/** The value of a sealed text; undefined unless the text is byte for byte as `seal` wrote it. */
export function unseal(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const value: Record<string, unknown> = { ...parsed };
    delete value['sha256'];
    return seal(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

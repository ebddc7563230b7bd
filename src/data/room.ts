// Whether memory suffices for what is about to be made of a volume, asked before it is made: afterwards there would be
// nothing but a number of bytes to complain about.

import { UserError } from '../errors.js';
import { freeMemory, gibibytes } from '../memory.js';

/** Numbers that a typed array can hold in every version of Node.js. */
const MAX_LENGTH = 2 ** 32;

/** Memory does not suffice for a case while others are read beside it; by itself it may. */
export class ShortOfMemory extends UserError {}

/** What is about to be made. */
interface Wanted {
  /** Of all arrays together. */
  readonly bytes: number;
  /** Numbers in the longest of them. */
  readonly longest: number;
  /** The file and what of it becomes how large, as the start of a sentence that goes on with `need`. */
  readonly what: string;
  readonly advice: string;
}

/** Throws a UserError of kind `data` if what is wanted does not fit. */
export type Room = (wanted: Wanted) => void;

/**
 * Room within all memory that is free at the moment of asking, or within a share of it in bytes, where going beyond
 * throws `ShortOfMemory`.
 */
export function roomWithin(share?: number): Room {
  return ({ bytes, longest, what, advice }) => {
    if (!(longest <= MAX_LENGTH))
      throw new UserError(
        'data',
        `${what} are ${longest} numbers, expected at most ${MAX_LENGTH}, which is what an array holds; ${advice}`,
      );
    const free = share ?? freeMemory();
    if (bytes <= free) return;
    throw new (share === undefined ? UserError : ShortOfMemory)(
      'data',
      `${what} need about ${gibibytes(bytes)} of memory, ${gibibytes(free)} are free; ${advice}`,
    );
  };
}

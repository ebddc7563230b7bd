// Checks whether there is enough memory for a step, before the step starts: only then the error can name the file and the
// cause. A failed allocation tells only a number of bytes.

import { UserError } from '../errors.js';
import { freeMemory, gibibytes } from '../memory.js';

/** The longest typed array that every version of Node.js can create. */
const MAX_LENGTH = 2 ** 32;

/** Too little memory for a case while others are read at the same time; the case may fit alone. */
export class ShortOfMemory extends UserError {}

/** A request for memory. */
interface Wanted {
  /** Bytes of all arrays together. */
  readonly bytes: number;
  /** Elements of the longest array. */
  readonly longest: number;
  /** The file and the data made from it, as the start of a sentence that continues with `need`. */
  readonly what: string;
  readonly advice: string;
}

/** Throws a UserError of kind `data` if there is too little memory. */
export type Room = (wanted: Wanted) => void;

/**
 * Checks requests against the memory that is free at that moment, or against a share of it in bytes; above the share it
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

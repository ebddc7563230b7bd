// Checks of plain JSON values; errors name the key and the value. These few lines replace a library because they are part of the
// HTML page, which must be small.

/** A value does not fit the format. The message continues a sentence: `size[1]: found "a", expected ...`. */
export class CheckError extends Error {}

/** Returns a value with its type, or throws a CheckError that names the key. */
export type Check<T> = (value: unknown, key: string) => T;

function refuse(value: unknown, key: string, expected: string): never {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  throw new CheckError(
    `${key}: found ${text.length > 60 ? `${text.slice(0, 60)}...` : text}, expected ${expected}`,
  );
}

/** Text that is not empty. */
export const text: Check<string> = (value, key) =>
  typeof value === 'string' && value !== '' ? value : refuse(value, key, 'text');

/** A finite number. */
export const number: Check<number> = (value, key) =>
  typeof value === 'number' && Number.isFinite(value) ? value : refuse(value, key, 'a number');

/** True or false. */
export const truth: Check<boolean> = (value, key) =>
  typeof value === 'boolean' ? value : refuse(value, key, 'true or false');

/** A number above 0. */
export const positive: Check<number> = (value, key) =>
  number(value, key) > 0 ? (value as number) : refuse(value, key, 'a number above 0');

/** A whole number within bounds. */
export const whole =
  (least: number, most: number): Check<number> =>
  (value, key) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most
      ? (value as number)
      : refuse(value, key, `a whole number from ${least} to ${most}`);

/** One of some words. */
export const oneOf =
  <T extends string>(...words: readonly T[]): Check<T> =>
  (value, key) =>
    words.includes(value as T) ? (value as T) : refuse(value, key, words.join(' or '));

/** A list with so many entries. */
export const list =
  <T>(entry: Check<T>, least = 0, most = 65_536): Check<T[]> =>
  (value, key) =>
    Array.isArray(value) && value.length >= least && value.length <= most
      ? value.map((item, i) => entry(item, `${key}[${i}]`))
      : refuse(value, key, least === most ? `a list of ${least}` : `a list of ${least} to ${most}`);

/** Three of a kind, along x, y, z. */
export const triple =
  <T>(entry: Check<T>): Check<[T, T, T]> =>
  (value, key) =>
    list(entry, 3, 3)(value, key) as [T, T, T];

/** An object with these fields. Other fields are ignored, so that a later version can add some. */
export const object =
  <T extends object>(fields: { readonly [K in keyof T]-?: Check<T[K]> }): Check<T> =>
  (value, key) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return refuse(value, key, 'an object');
    const found = value as Record<string, unknown>;
    const entries = Object.entries<Check<unknown>>(fields).map(([name, check]): [string, unknown] => [
      name,
      check(Object.hasOwn(found, name) ? found[name] : undefined, key === '' ? name : `${key}.${name}`),
    ]);
    return Object.fromEntries(entries.filter(([, field]) => field !== undefined)) as T;
  };

/** Something that may be absent. */
export const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value, key) =>
    value === undefined ? undefined : check(value, key);

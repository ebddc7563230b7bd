// Checks names that a user gives against the known ones, with the nearest one for "did you mean".

import { UserError } from '../errors.js';

/** The number of edits (insert, delete, replace, swap neighbours) that turn one text into another. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const above = rows[i - 1] as number[];
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(
        (above[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (above[j - 1] as number) + same,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, ((rows[i - 2] as number[])[j - 2] as number) + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return (rows[a.length] as number[])[b.length] as number;
}

/** ` (did you mean X?)` for the nearest name, if it is near: at most 3 edits, similarity above 0.4; else ''. */
export function suggestion(found: string, names: readonly string[]): string {
  const near = names
    // A difference in length needs at least that many edits. Checked first, since texts may be long.
    .filter((name) => Math.abs(name.length - found.length) <= 3)
    .map((name) => ({ name, distance: editDistance(found.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= 3 && 1 - distance / Math.max(name.length, found.length) > 0.4)
    .sort((a, b) => a.distance - b.distance)[0];
  return near === undefined ? '' : ` (did you mean ${near.name}?)`;
}

/**
 * The wanted names, or all names if none are wanted. Throws a UserError of kind `usage` for an unknown name; `option` is
 * the option with which it was given.
 */
export function choose(
  option: string,
  wanted: readonly string[] | undefined,
  names: readonly string[],
): readonly string[] {
  for (const name of wanted ?? [])
    if (!names.includes(name))
      throw new UserError(
        'usage',
        `${option}: found ${name.trim() === '' ? 'nothing' : name}, expected one of ${names.join(', ')}${suggestion(name, names)}`,
      );
  return wanted ?? names;
}

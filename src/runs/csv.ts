// CSV files. They are written atomically, so that no row is ever partly written. When read, they are checked against their
// digest in run.json.

import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { UserError } from '../errors.js';
import { fsReason } from '../fs-reason.js';
import { commitFile } from './commit.js';
import { sha256 } from '../sha256.js';

export type Cell = string | number | boolean | undefined;
export type Row = Readonly<Record<string, Cell>>;

// Spreadsheets would run text that begins with one of these characters as a formula. Writing puts an apostrophe before such
// text; reading removes it.
const FORMULA = /^'*[=+\-@\t\r\0]/;
const harmless = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);
const asWritten = (text: string): string =>
  text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text;

/** A distance as a cell: an infinite one is `inf`, since cells of numbers that are not finite are empty. */
export const distanceCell = (value: number): Cell => (value === Infinity ? 'inf' : value);

/** The text of a CSV file with these columns, in this order; a cell that a row lacks is empty. */
export function csvText(columns: readonly string[], rows: readonly Row[]): string {
  return stringify(
    rows.map((row) => columns.map((column) => row[column])),
    {
      header: true,
      columns: columns.map(harmless),
      cast: {
        string: harmless,
        number: (value) => (Number.isFinite(value) ? String(value) : ''),
        boolean: String,
      },
    },
  );
}

/** Writes a CSV file. Throws a UserError of kind `disk`. */
export function writeCsv(path: string, columns: readonly string[], rows: readonly Row[]): void {
  commitFile(path, csvText(columns, rows));
}

/** The rows of a CSV file, each as text by column. */
export function parseCsv(text: string | Uint8Array): Record<string, string>[] {
  return parse(Buffer.from(text), { columns: true, skip_empty_lines: true, cast: asWritten });
}

/**
 * Reads the rows of a CSV file, each as text by column. Throws a UserError of kind `data` if the file does not have this
 * SHA-256: it was damaged or edited, or saved again by a spreadsheet.
 */
export function readSealedCsv(path: string, digest: string | undefined): Record<string, string>[] {
  const refuse = (found: string): UserError =>
    new UserError(
      'data',
      `${path}: ${found}, expected the file as lunet wrote it; copy CSV files before you edit them, ` +
        'and repeat the run with --overwrite to restore this one',
    );
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw refuse(`cannot be read: ${fsReason(error)}`);
  }
  if (digest !== undefined && sha256(bytes) === digest) return parseCsv(bytes);
  throw refuse(
    savedByOthers(bytes) ? 'was saved again by another program, such as a spreadsheet' : 'is damaged',
  );
}

/** Whether a file looks as if a spreadsheet wrote it: byte order mark, other line ends, semicolons or tabs. */
function savedByOthers(bytes: Buffer): boolean {
  const [head = ''] = bytes.toString('utf8').split('\n', 1);
  return /^\uFEFF|\r$|;|\t|^"/.test(head);
}

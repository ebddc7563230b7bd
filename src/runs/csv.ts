// CSV files: written whole, so that a row is there or not, and never torn. What is read back is checked against the digest
// that run.json has of it.

import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { UserError } from '../errors.js';
import { fsReason } from '../fs-reason.js';
import { commitFile } from './commit.js';
import { sha256 } from '../sha256.js';

export type Cell = string | number | boolean | undefined;
export type Row = Readonly<Record<string, Cell>>;

// Text that a spreadsheet would run as a formula gets an apostrophe in front, which reading takes off again.
const FORMULA = /^'*[=+\-@\t\r\0]/;
const harmless = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);
const asWritten = (text: string): string =>
  text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text;

/** The text of a CSV file of rows with the columns given, in their order; what a row lacks is left empty. */
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

/** Rows of a CSV file's text, as text by column. */
export function parseCsv(text: string | Uint8Array): Record<string, string>[] {
  return parse(Buffer.from(text), { columns: true, skip_empty_lines: true, cast: asWritten });
}

/**
 * Reads a CSV file's rows as text by column. Throws a UserError of kind `data` if the file is not the one with that
 * SHA-256: it was damaged, or edited, or a spreadsheet has saved it in a form of its own.
 */
export function readSealedCsv(path: string, digest: string | undefined): Record<string, string>[] {
  const refuse = (found: string): UserError =>
    new UserError(
      'data',
      `${path}: ${found}, expected the file as lunet wrote it; copy CSV files before you edit them, ` +
        'and do the run anew with --overwrite to get this one back',
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

/** Whether a file is written as spreadsheets write: a byte order mark, other line ends, semicolons or tabs. */
function savedByOthers(bytes: Buffer): boolean {
  const [head = ''] = bytes.toString('utf8').split('\n', 1);
  return /^\uFEFF|\r$|;|\t|^"/.test(head);
}

// CSV files: written whole, so that a row is there or not, and never torn.

import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { commitFile } from './commit.js';

export type Cell = string | number | boolean | undefined;
export type Row = Readonly<Record<string, Cell>>;

// Text that a spreadsheet would run as a formula gets an apostrophe in front, which reading takes off again.
const FORMULA = /^'*[=+\-@\t\r\0]/;
const harmless = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);
const asWritten = (text: string): string =>
  text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text;

/** Writes rows with the columns given, in their order; what a row lacks is left empty. */
export function writeCsv(path: string, columns: readonly string[], rows: readonly Row[]): void {
  const text = stringify(
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
  commitFile(path, text);
}

/** Reads a CSV file's rows as text by column. */
export function readCsv(path: string): Record<string, string>[] {
  return parse(readFileSync(path), { columns: true, skip_empty_lines: true, cast: asWritten });
}

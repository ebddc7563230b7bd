// What reaches the screen: results on stdout, messages on stderr, tables and colour. Decides nothing. Progress bars are in
// progress.ts, since `lunet --help` should not wait for their library.

import { styleText, stripVTControlCharacters } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Writes a line of results to stdout. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Writes a message to stderr. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Writes one versioned JSON object to stdout. */
export function printJson(result: object): void {
  print(JSON.stringify({ version: 1, ...result }, null, 2));
}

/** The text in a colour or weight, where the stream is a terminal and NO_COLOR is not set. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return stream.isTTY && !process.env.NO_COLOR ? styleText(style, text) : text;
}

/** One column of a table. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/**
 * Rows under their titles, columns aligned and two spaces apart; no trailing newline. Where that is wider than `width`,
 * by default the terminal's, the columns of text are narrowed and their cells go on in further lines.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = process.stdout.isTTY ? process.stdout.columns : Infinity,
): string {
  const widths = columns.map(({ title }, at) =>
    Math.max(displayWidth(title), ...rows.map((row) => displayWidth(row[at] ?? ''))),
  );
  narrow(columns, widths, width);
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, at) => {
        const cell = cells[at] ?? '';
        const padding = ' '.repeat((widths[at] as number) - displayWidth(cell));
        return align === 'right' ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd();
  const lines = (cells: readonly string[]): string[] => {
    const parts = widths.map((each, at) => wrap(cells[at] ?? '', each));
    const height = Math.max(...parts.map(({ length }) => length));
    return Array.from({ length: height }, (_, i) => line(parts.map((part) => part[i] ?? '')));
  };
  const titles = lines(columns.map(({ title }) => title));
  const rule = widths.map((each) => '-'.repeat(each)).join('  ');
  return [...titles.map((title) => paint('bold', title)), rule, ...rows.flatMap(lines)].join('\n');
}

/** Takes from the widest columns of text what a table is too wide by, down to ten characters each. */
function narrow(columns: readonly Column[], widths: number[], width: number): void {
  for (;;) {
    const excess = widths.reduce((sum, each) => sum + each + 2, -2) - width;
    const texts = widths.map((each, at) => (columns[at]?.align === 'right' ? 0 : each));
    const widest = texts.indexOf(Math.max(...texts));
    if (excess <= 0 || (texts[widest] as number) <= 10) return;
    widths[widest] = (widths[widest] as number) - 1;
  }
}

/** A text in lines of at most so many characters, broken after a space, slash or hyphen where there is one. */
function wrap(text: string, width: number): string[] {
  if (displayWidth(text) <= width) return [text];
  const characters = [...text];
  const fitting = characters.slice(0, width).join('');
  const at = /^.*[ /-]/u.exec(fitting)?.[0].length ?? width;
  const first = characters.join('').slice(0, at);
  return [first.trimEnd(), ...wrap(text.slice(first.length), width)];
}

/** Columns that a text takes, colour codes left out. */
function displayWidth(text: string): number {
  return [...stripVTControlCharacters(text).normalize('NFC')].length;
}

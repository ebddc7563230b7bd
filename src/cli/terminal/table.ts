// Text tables with aligned columns, fitted to the width of the terminal.

import { paint, visible } from './output.js';

/** One column of a table. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/**
 * Rows below their titles, columns aligned and two spaces apart; no trailing newline. If the table is wider than `width`, by
 * default that of the terminal, text columns are made narrower and their cells are wrapped.
 */
export function formatTable(
  columns: readonly Column[],
  cells: readonly (readonly string[])[],
  width = (process.stdout.isTTY && process.stdout.columns) || Infinity,
): string {
  const rows = cells.map((row) => row.map(visible));
  const widths = columns.map(({ title }, at) =>
    Math.max(displayWidth(title), ...rows.map((row) => displayWidth(row[at] ?? ''))),
  );
  narrow(columns, widths, width);
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, at) => {
        const cell = cells[at] ?? '';
        const padding = ' '.repeat(Math.max(0, (widths[at] as number) - displayWidth(cell)));
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

/** Makes the widest text columns narrower until the table fits, down to ten characters each. */
function narrow(columns: readonly Column[], widths: number[], width: number): void {
  for (;;) {
    const excess = widths.reduce((sum, each) => sum + each + 2, -2) - width;
    const texts = widths.map((each, at) => (columns[at]?.align === 'right' ? 0 : each));
    const widest = texts.indexOf(Math.max(...texts));
    if (excess <= 0 || (texts[widest] as number) <= 10) return;
    widths[widest] = (widths[widest] as number) - 1;
  }
}

/** A text in lines of at most `width` columns, broken after a space, slash or hyphen if possible. */
function wrap(text: string, width: number): string[] {
  if (displayWidth(text) <= width) return [text];
  let fitting = '';
  for (const character of text) {
    if (fitting !== '' && displayWidth(fitting + character) > width) break;
    fitting += character;
  }
  const first = /^.*[ /-]/u.exec(fitting)?.[0] ?? fitting;
  return [first.trimEnd(), ...wrap(text.slice(first.length), width)];
}

/** Characters that take two columns: East Asian scripts and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** The number of terminal columns that a text takes, without colour codes. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of visible(text).normalize('NFC'))
    if (!/[\ufdd0-\ufddf\u200b-\u200d]|\p{M}/u.test(character)) width += WIDE.test(character) ? 2 : 1;
  return width;
}

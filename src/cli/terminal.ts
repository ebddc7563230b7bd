// What reaches the screen: results on stdout, messages on stderr, tables and colour. Decides nothing. Progress is in
// progress.ts.

import { styleText } from 'node:util';

/** Colours and weights that are used, each with the character that stands for it until it is written. */
const STYLES = { red: '\ufdd0', green: '\ufdd1', yellow: '\ufdd2', bold: '\ufdd3' } as const;
const END_OF_STYLE = '\ufddf';
type Style = keyof typeof STYLES;

/** Something that stays below all that is written, such as a bar of progress. */
interface Footer {
  readonly clear: () => void;
  readonly draw: () => void;
}

let footer: Footer | undefined;

/** Keeps something below what is written from now on, or no longer. */
export function setFooter(next: Footer | undefined): void {
  footer = next;
}

/** Writes a line of results to stdout. */
export function print(line: string): void {
  write(process.stdout, `${line}\n`);
}

/** Writes a message to stderr. */
export function note(line: string): void {
  write(process.stderr, `${line}\n`);
}

/** Writes a warning to stderr. */
export function warn(message: string): void {
  note(`${paint('yellow', 'warning:', process.stderr)} ${message}`);
}

/** Writes one versioned JSON object to stdout. */
export function printJson(result: object): void {
  // What could act on a terminal is escaped as JSON does it, so that it is read back as it was.
  const text = JSON.stringify({ version: 1, ...result }, null, 2);
  print(text.replace(CONTROL, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`));
}

function write(stream: NodeJS.WriteStream, text: string): void {
  if (stream.isTTY) footer?.clear();
  stream.write(stream.isTTY ? withStyles(visible(text)) : visible(text));
  if (stream.isTTY) footer?.draw();
}

/** Control characters but the line feed, and those that change the direction of writing. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * A text with everything that a terminal would obey instead of show written out: `\x1b`, `\u202e`. All that is written
 * goes through here, as names of files and texts in them may hold anything.
 */
export function visible(text: string): string {
  return text.replace(CONTROL, (found) => {
    const code = found.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}

/** The text in a colour or weight, where the stream is a terminal and NO_COLOR is not set. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return stream.isTTY && !process.env.NO_COLOR ? `${STYLES[style]}${text}${END_OF_STYLE}` : text;
}

/** Puts a terminal's codes where `paint` has left its characters: the only codes that are ever written. */
function withStyles(text: string): string {
  const styles = Object.entries(STYLES) as [Style, string][];
  return text.replace(/([\ufdd0-\ufdd3])([^\ufdd0-\ufddf]*)\ufddf/g, (_, mark: string, painted: string) => {
    const [style] = styles.find(([, character]) => character === mark) as [Style, string];
    return styleText(style, painted, { validateStream: false });
  });
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

/** A text in lines of at most so many columns, broken after a space, slash or hyphen where there is one. */
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

/** Characters that take two columns: East Asian scripts and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** Columns that a text takes as it is written, colours left out. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of visible(text).normalize('NFC'))
    if (!/[\ufdd0-\ufddf\u200b-\u200d]|\p{M}/u.test(character)) width += WIDE.test(character) ? 2 : 1;
  return width;
}

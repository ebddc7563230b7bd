// Output to the terminal: results on stdout, messages on stderr, colours.

import { styleText } from 'node:util';

/** Colours and weights, each with a placeholder character that is replaced when text is written. */
const STYLES = { red: '\ufdd0', green: '\ufdd1', yellow: '\ufdd2', bold: '\ufdd3' } as const;
const END_OF_STYLE = '\ufddf';
type Style = keyof typeof STYLES;

/** Something that stays below all other output, such as a progress bar. */
interface Footer {
  readonly clear: () => void;
  readonly draw: () => void;
}

let footer: Footer | undefined;

/** Sets or removes the footer below all other output. */
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
  // Control characters are escaped as in JSON, so that parsing restores them.
  const text = JSON.stringify({ version: 1, ...result }, null, 2);
  print(text.replace(CONTROL, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`));
}

function write(stream: NodeJS.WriteStream, text: string): void {
  if (stream.isTTY) footer?.clear();
  stream.write(stream.isTTY ? withStyles(visible(text)) : visible(text));
  if (stream.isTTY) footer?.draw();
}

/** Control characters except the line feed, and characters that change the direction of writing. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * A text with all control characters written out: `\x1b`, `\u202e`. All output passes through here, because names of files
 * and texts in files may contain anything.
 */
export function visible(text: string): string {
  return text.replace(CONTROL, (found) => {
    const code = found.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}

/** The text in a colour or weight, if the stream is a terminal and NO_COLOR is not set. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return stream.isTTY && !process.env.NO_COLOR ? `${STYLES[style]}${text}${END_OF_STYLE}` : text;
}

/** Replaces the placeholders of `paint` by terminal codes: the only codes that are ever written. */
function withStyles(text: string): string {
  const styles = Object.entries(STYLES) as [Style, string][];
  return text.replace(/([\ufdd0-\ufdd3])([^\ufdd0-\ufddf]*)\ufddf/g, (_, mark: string, painted: string) => {
    const [style] = styles.find(([, character]) => character === mark) as [Style, string];
    return styleText(style, painted, { validateStream: false });
  });
}

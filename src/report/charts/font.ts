// The fonts of PNG figures. One comes with lunet, so that figures are the same everywhere; names in scripts that it lacks
// take the machine's fonts, and characters that no font has are written as their numbers: as empty boxes, two names would
// look the same.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Resvg, type ResvgRenderOptions } from '@resvg/resvg-js';

type FontOptions = NonNullable<ResvgRenderOptions['font']>;

/** What draws a text: the fonts, and the characters that none of them has. */
export interface Fonts {
  readonly options: FontOptions;
  readonly missing: ReadonlySet<string>;
}

const folder = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');
const OWN: FontOptions = {
  loadSystemFonts: false,
  fontFiles: ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) => join(folder, file)),
  defaultFontFamily: 'DejaVu Sans',
};
const ALL: FontOptions = { ...OWN, loadSystemFonts: true };

/** The fonts for a text. */
export function fontsFor(text: string): Fonts {
  const unusual = [...new Set(text.match(/[^ -\u024f≤]/gu))];
  const foreign = without(unusual, OWN);
  return foreign.length === 0
    ? { options: OWN, missing: new Set() }
    : { options: ALL, missing: new Set(without(foreign, ALL)) };
}

/** Characters as they are drawn where they are missing: `\u6d77`. */
export function numbered(character: string): string {
  return `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, '0')}`;
}

const CELL = 40;
/** Not assigned by Unicode, so that no font has it. */
const UNASSIGNED = '\u0378';

/** Those of the characters that fonts draw as the box that stands for a character they do not have. */
function without(characters: readonly string[], font: FontOptions): string[] {
  if (characters.length === 0) return [];
  const cells = [UNASSIGNED, ...characters];
  const texts = cells.map(
    (character, i) => `<text x="${i * CELL + 4}" y="${CELL - 12}" font-size="20">${character}</text>`,
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${cells.length * CELL}" height="${CELL}" font-family="DejaVu Sans">${texts.join('')}</svg>`;
  const { pixels, width, height } = new Resvg(svg, { font }).render();
  const cellAt = (i: number): string =>
    Array.from({ length: height }, (_, y) =>
      pixels.subarray(4 * (y * width + i * CELL), 4 * (y * width + (i + 1) * CELL)).toString('base64'),
    ).join();
  const box = cellAt(0);
  return characters.filter((_, i) => cellAt(i + 1) === box);
}

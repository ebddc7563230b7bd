// The fonts of PNG figures. One font comes with lunet, so that figures look the same everywhere. For other scripts the fonts
// of the machine are used. Characters without a font are written as code points: as empty boxes, two names would look the
// same.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Resvg, type ResvgRenderOptions } from '@resvg/resvg-js';

type FontOptions = NonNullable<ResvgRenderOptions['font']>;

/** The fonts for a text, and the characters that none of them has. */
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

/** The replacement of a missing character: `\u6d77`. */
export function numbered(character: string): string {
  return `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, '0')}`;
}

const CELL = 40;
/** A code point that Unicode has not assigned, so that no font has it. */
const UNASSIGNED = '\u0378';

/** The characters that the fonts draw as the box for missing characters. */
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

// A contact sheet: many samples on one picture.

import { Resvg } from '@resvg/resvg-js';
import { escapeHtml } from '../html.js';
import { type Sample } from '../engine/engine.js';
import { type Extent } from '../data/preprocess.js';
import { fontsFor } from '../report/charts/font.js';
import { blank, drawPlanes, paste, planesSize } from './planes.js';
import { encodePng } from './png.js';

export interface ShownSample {
  readonly title: string;
  /** What was done to it; may be empty. */
  readonly detail: string;
  readonly sample: Sample;
}

/** Pixels: what a sheet should be wide, a plane at least, the text above a sample, and the distance between samples. */
const [WIDE, LEAST, TEXT, GAP] = [1600, 96, 34, 16];

/** Draws samples of one size (voxels along x, y, z) row by row; returns a PNG. */
export function drawSheet(samples: readonly ShownSample[], size: Extent): Uint8Array {
  const zoom = Math.max(1, Math.ceil(LEAST / Math.max(...size)));
  const cell = planesSize(size, zoom);
  const columns = Math.min(samples.length, Math.max(1, Math.floor((WIDE - GAP) / (cell.width + GAP))));
  const rows = Math.ceil(samples.length / columns);
  const placeOf = (at: number): readonly [left: number, top: number] => [
    GAP + (at % columns) * (cell.width + GAP),
    GAP + Math.floor(at / columns) * (cell.height + TEXT + GAP),
  ];
  const sheet = blank({
    width: GAP + columns * (cell.width + GAP),
    height: GAP + rows * (cell.height + TEXT + GAP),
  });
  for (const [at, { sample }] of samples.entries()) {
    const [left, top] = placeOf(at);
    paste(drawPlanes(sample, size, zoom), sheet, left, top + TEXT);
  }
  const { width, height } = sheet;
  const picture = encodePng(width, height, sheet.pixels).toString('base64');
  const fits = (text: string, font: number): string => clip(text, cell.width / (0.6 * font));
  const texts = samples.map(({ title, detail }, at) => {
    const [left, top] = placeOf(at);
    return (
      `<text x="${left}" y="${top + 12}" font-size="12">${escapeHtml(fits(title, 12))}</text>` +
      `<text x="${left}" y="${top + 27}" font-size="10" fill="#555">${escapeHtml(fits(detail, 10))}</text>`
    );
  });
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="DejaVu Sans">` +
    `<image width="${width}" height="${height}" href="data:image/png;base64,${picture}"/>${texts.join('')}</svg>`;
  const font = fontsFor(samples.map(({ title, detail }) => title + detail).join('')).options;
  return new Resvg(svg, { font }).render().asPng();
}

function clip(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, Math.max(1, Math.floor(characters) - 1))}…`;
}

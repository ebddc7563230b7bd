// Draws charts: from vega-lite to SVG without a browser, and from SVG to PNG with a font that comes with lunet.

import { Resvg } from '@resvg/resvg-js';
import * as vega from 'vega';
import { type TopLevelSpec, compile } from 'vega-lite';
import { hasNamedSplits } from '../../config/splits.js';
import { splitNames } from '../../runs/folders.js';
import { type Results } from '../results.js';
import { fontsFor, numbered } from './font.js';
import { charts } from './index.js';
import { assignLooks } from './looks.js';
import { CONFIG, type ChartSpec } from './style.js';
import { textWidth, wrapText } from './text.js';

// Without a browser Vega assumes that every letter is 0.8 em wide and cuts off text accordingly.
const { textMetrics } = vega as unknown as {
  textMetrics: { width: (item: { fontSize?: number }, text: string) => number };
};
textMetrics.width = ({ fontSize = 11 }, text) => textWidth(String(text), fontSize);

const TITLE_WIDTH = 600;

export interface DrawnChart {
  readonly name: string;
  readonly title: string;
  readonly svg: string;
  readonly png: Uint8Array;
}

/** Draws every chart for which there are results; each figure shows one split. */
export async function drawCharts(results: Results): Promise<DrawnChart[]> {
  const figures = listFigures(results);
  const { options: font, missing } = fontsFor(figures.map(({ spec }) => JSON.stringify(spec)).join(''));
  return Promise.all(
    figures.map(async ({ name, title, spec }) => {
      const svg = await toSvg(spec);
      // Characters that no font here has are replaced only in the PNG; the browser of a reader may have them.
      const drawable = missing.size === 0 ? svg : await toSvg(withoutCharacters(spec, missing));
      const image = new Resvg(drawable, { fitTo: { mode: 'zoom', value: 2 }, font });
      return { name, title, svg, png: image.render().asPng() };
    }),
  );
}

async function toSvg(spec: ChartSpec): Promise<string> {
  const view = new vega.View(vega.parse(compile(spec as unknown as TopLevelSpec).spec), {
    renderer: 'none',
    logLevel: vega.Error,
  });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

function withoutCharacters(spec: ChartSpec, missing: ReadonlySet<string>): ChartSpec {
  const text = [...JSON.stringify(spec)].map((character) =>
    missing.has(character) ? JSON.stringify(numbered(character)).slice(1, -1) : character,
  );
  return JSON.parse(text.join('')) as ChartSpec;
}

/** Every figure with its full specification: each chart, and if splits have names, each chart for each split. */
function listFigures(results: Results): { name: string; title: string; spec: ChartSpec }[] {
  const looks = assignLooks(results);
  // Figures show the names of splits if splits have names, even if there is only one.
  const splits = hasNamedSplits(results.config) ? splitNames(results.config) : [undefined];
  return charts.flatMap(({ name, title, ofConfig, spec }) =>
    (ofConfig ? [undefined] : splits).flatMap((split) => {
      const body = spec(split === undefined ? results : onlySplit(results, split), looks);
      if (body === undefined) return [];
      const whole = {
        title: { ...headline(title, split), anchor: 'start', fontSize: 14, fontWeight: 'normal', offset: 12 },
        padding: 10,
        config: CONFIG,
        ...body,
      };
      return split === undefined
        ? [{ name, title, spec: whole }]
        : [{ name: `${name}-${split}`, title: `${title}, split ${split}`, spec: whole }];
    }),
  );
}

function onlySplit(results: Results, split: string): Results {
  const only = <T extends { readonly split: string }>(rows: readonly T[]): T[] =>
    rows.filter((row) => row.split === split);
  const { summary, steps, epochs, scores, comparisons, records } = results;
  return {
    ...results,
    summary: only(summary),
    steps: only(steps),
    epochs: only(epochs),
    scores: only(scores),
    comparisons: only(comparisons),
    records: only(records),
  };
}

/** A title; below it in smaller lines the split and the text in parentheses at the end of the title. */
function headline(title: string, split: string | undefined): object {
  const [, text = title, more] = /^(.*?) \((.*)\)$/.exec(title) ?? [];
  const subtitle = [
    ...(split === undefined ? [] : wrapText(`Split: ${split}`, TITLE_WIDTH, 12)),
    ...(more?.split('; ') ?? []),
  ];
  return { text, ...(subtitle.length > 0 && { subtitle, subtitleFontSize: 12 }) };
}

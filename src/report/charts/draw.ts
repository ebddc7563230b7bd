// Draws charts: vega-lite to SVG without a browser, and the SVG to PNG with a font that comes with lunet.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Results } from '../results.js';
import { splitNames } from '../../runs/folders.js';
import { charts } from './index.js';
import { assignLooks } from './looks.js';
import { CONFIG, type ChartSpec } from './style.js';
import { textWidth, wrapText } from './text.js';

const TITLE_WIDTH = 600;

export interface DrawnChart {
  readonly name: string;
  readonly title: string;
  readonly svg: string;
  readonly png: Uint8Array;
}

/** Draws every chart that these results have something for; each shows one split. */
export async function drawCharts(results: Results): Promise<DrawnChart[]> {
  const [vega, vegaLite, { Resvg }] = await Promise.all([
    import('vega'),
    import('vega-lite'),
    import('@resvg/resvg-js'),
  ]);
  const fonts = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  // Without a browser Vega takes every letter for 0.8 em and cuts off what is wider.
  const { textMetrics } = vega as unknown as {
    textMetrics: { width: (item: { fontSize?: number }, text: string) => number };
  };
  textMetrics.width = ({ fontSize = 11 }, text) => textWidth(String(text), fontSize);
  const drawn: DrawnChart[] = [];
  for (const { name, title, split, body } of figures(results)) {
    const compiled = vegaLite.compile({
      title: { ...headline(title, split), anchor: 'start', fontSize: 14, fontWeight: 'normal', offset: 12 },
      padding: 10,
      config: CONFIG,
      ...body,
    } as unknown as Parameters<typeof vegaLite.compile>[0]).spec;
    const view = new vega.View(vega.parse(compiled), { renderer: 'none', logLevel: vega.Error });
    const svg = await view.toSVG();
    view.finalize();
    const image = new Resvg(svg, {
      fitTo: { mode: 'zoom', value: 2 },
      font: {
        loadSystemFonts: false,
        fontFiles: ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) => join(fonts, file)),
        defaultFontFamily: 'DejaVu Sans',
      },
    });
    const named =
      split === undefined ? { name, title } : { name: `${name}-${split}`, title: `${title}, split ${split}` };
    drawn.push({ ...named, svg, png: image.render().asPng() });
  }
  return drawn;
}

/** The specification of every figure: each chart, for each split where there are several. */
function figures(
  results: Results,
): { name: string; title: string; split: string | undefined; body: ChartSpec }[] {
  const looks = assignLooks(results);
  // A config with named splits names them in its figures, if it is only one.
  const splits = results.config.dataset.splits === undefined ? [undefined] : splitNames(results.config);
  return charts.flatMap(({ name, title, ofConfig, spec }) =>
    (ofConfig ? [undefined] : splits).flatMap((split) => {
      const body = spec(split === undefined ? results : onlySplit(results, split), looks);
      return body === undefined ? [] : [{ name, title, split, body }];
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

/** A title with its split, and what stands in brackets at its end in smaller lines below. */
function headline(title: string, split: string | undefined): object {
  const [, text = title, more] = /^(.*?) \((.*)\)$/.exec(title) ?? [];
  const subtitle = [
    ...(split === undefined ? [] : wrapText(`Split: ${split}`, TITLE_WIDTH, 12)),
    ...(more?.split('; ') ?? []),
  ];
  return { text, ...(subtitle.length > 0 && { subtitle, subtitleFontSize: 12 }) };
}

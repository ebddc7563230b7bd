// Draws charts: vega-lite to SVG without a browser, and the SVG to PNG with a font that comes with lunet.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Results } from '../results.js';
import { charts } from './index.js';
import { CONFIG } from './style.js';

export interface DrawnChart {
  readonly name: string;
  readonly title: string;
  readonly svg: string;
  readonly png: Uint8Array;
}

/** Draws every chart that these results have something for. */
export async function drawCharts(results: Results): Promise<DrawnChart[]> {
  const [vega, vegaLite, { Resvg }] = await Promise.all([
    import('vega'),
    import('vega-lite'),
    import('@resvg/resvg-js'),
  ]);
  const fonts = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  const drawn: DrawnChart[] = [];
  for (const { name, title, spec } of charts) {
    const body = spec(results);
    if (body === undefined) continue;
    const compiled = vegaLite.compile({
      title: { ...headline(title), anchor: 'start', fontSize: 14, fontWeight: 'normal', offset: 12 },
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
    drawn.push({ name, title, svg, png: image.render().asPng() });
  }
  return drawn;
}

/** A title, what stands in brackets at its end in smaller lines below. */
function headline(title: string): { text: string; subtitle?: string[]; subtitleFontSize?: number } {
  const [, text, more] = /^(.*?) \((.*)\)$/.exec(title) ?? [];
  if (text === undefined || more === undefined) return { text: title };
  return { text, subtitle: more.split('; '), subtitleFontSize: 11 };
}

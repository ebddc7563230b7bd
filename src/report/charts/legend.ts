// The legend below a figure, in as many columns as fit. Each entry shows its full name and looks as in the figure.

import { type Look } from './looks.js';
import { COLOUR, type ChartSpec, DASH, MARKER, lookOf } from './style.js';
import { textWidth } from './text.js';

/** An entry of a legend. */
export interface Entry {
  readonly name: string;
  readonly look: Look;
}

const ROW = 20;
const GAP = 28;
const FONT_SIZE = 12;
/** Width of a drawn line or point. */
const SAMPLE = { lines: 60, points: 14 };

/** Adds a legend below a figure of about this width; entries are drawn as lines or as points, as in the figure. */
export function withLegend(
  body: ChartSpec,
  entries: readonly Entry[],
  { width, as }: { width: number; as: 'lines' | 'points' },
): ChartSpec {
  const { columns, rows } = inColumns(
    entries,
    (name) => SAMPLE[as] + 6 + textWidth(name, FONT_SIZE) + GAP,
    width,
  );
  const values = columns.flatMap(({ left, entries: column }) =>
    column.map(({ name, look }, i) => ({
      name,
      ...lookOf(look),
      left,
      right: left + SAMPLE[as],
      y: i + 0.5,
    })),
  );
  const last = columns.at(-1);
  const [fullWidth, height] = [Math.ceil(last ? last.left + last.width : width), rows * ROW];
  const place = (field: string, domain: number[]): object => ({
    field,
    type: 'quantitative',
    axis: null,
    scale: { domain, nice: false, zero: false },
  });
  const x = (field: string): object => place(field, [0, fullWidth]);
  const y = place('y', [rows, 0]);
  const silent = { aria: false };
  const legend = {
    data: { values },
    width: fullWidth,
    height,
    layer: [
      ...(as === 'lines'
        ? [
            {
              mark: { type: 'rule', strokeWidth: 2, ...silent },
              encoding: { x: x('left'), x2: { field: 'right' }, y, color: COLOUR, strokeDash: DASH },
            },
          ]
        : []),
      {
        transform: [{ calculate: '(datum.left + datum.right) / 2', as: 'middle' }],
        mark: { type: 'point', filled: true, opacity: 1, size: 70, ...silent },
        encoding: { x: x('middle'), y, color: COLOUR, shape: MARKER },
      },
      {
        mark: {
          type: 'text',
          align: 'left',
          baseline: 'middle',
          dx: 6,
          fontSize: FONT_SIZE,
          limit: 0,
          ...silent,
        },
        encoding: { x: x('right'), y, text: { field: 'name' } },
      },
    ],
  };
  return { vconcat: [body, legend], spacing: 18 };
}

/** Arranges entries in as many columns as fit side by side, at least one, each as narrow as possible. */
function inColumns(
  entries: readonly Entry[],
  widthOf: (name: string) => number,
  width: number,
): { rows: number; columns: { left: number; width: number; entries: readonly Entry[] }[] } {
  for (let rows = 1; ; rows++) {
    let left = 0;
    const columns = Array.from({ length: Math.ceil(entries.length / rows) }, (_, i) => {
      const part = entries.slice(i * rows, (i + 1) * rows);
      const column = { left, width: Math.max(...part.map(({ name }) => widthOf(name))), entries: part };
      left += column.width;
      return column;
    });
    if (left <= width || columns.length <= 1) return { rows, columns };
  }
}

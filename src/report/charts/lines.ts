// Lines of methods: colour, dash and a few markers, so that lines can be distinguished in grey too.

import { median } from 'simple-statistics';
import { type Look } from './looks.js';
import { COLOUR, DASH, MARKER, lookOf } from './style.js';

/** A point of a line. */
interface Point {
  readonly x: number | string;
  readonly y: number;
  /** The band over seeds, if it is drawn. */
  readonly low?: number;
  readonly high?: number;
}

export interface Line {
  readonly name: string;
  readonly look: Look;
  /** In the order of x. */
  readonly points: readonly Point[];
}

const MARKERS = 5;

interface Drawing {
  /** Encodings, without fields. */
  readonly x: object;
  readonly y: object;
  /** The visible range of y, if not all of it: lines are cut off there. */
  readonly range?: readonly [low: number, high: number];
  /** Also draws the spread over seeds. */
  readonly band?: boolean;
  /** Marks every point, not a few. */
  readonly everyPoint?: boolean;
  /** Draws steps instead of slopes. */
  readonly step?: boolean;
}

/** Layers that draw lines. */
export function lineLayers(
  lines: readonly Line[],
  {
    x,
    y,
    range: [low, high] = [-Infinity, Infinity],
    band = false,
    everyPoint = false,
    step = false,
  }: Drawing,
): object[] {
  const values = lines.flatMap(({ name, look, points }, i) => {
    const marked = markedPoints(points.length, everyPoint ? Infinity : MARKERS, (i + 0.5) / lines.length);
    return points.map((point, at) => ({
      name,
      ...lookOf(look),
      ...point,
      marked: marked.has(at),
      says: `${name}: ${typeof point.x === 'number' ? Number(point.x.toPrecision(4)) : point.x}, ${Number(point.y.toPrecision(4))}`,
    }));
  });
  const data = { values };
  const place = { x: { ...x, field: 'x' }, y: { ...y, field: 'y', type: 'quantitative' } };
  const description = { field: 'says' };
  return [
    ...(band
      ? [
          {
            data,
            mark: { type: 'area', opacity: 1, fillOpacity: 0.15, clip: true, aria: false },
            encoding: {
              x: place.x,
              y: { ...place.y, field: 'low' },
              y2: { field: 'high' },
              color: COLOUR,
              detail: { field: 'name' },
            },
          },
        ]
      : []),
    {
      data,
      mark: { type: 'line', strokeWidth: 2, clip: true, ...(step && { interpolate: 'step-after' }) },
      encoding: {
        ...place,
        color: COLOUR,
        strokeDash: DASH,
        detail: { field: 'name' },
        description: { field: 'name' },
      },
    },
    // Every point shows its value on hover; most are not visible. Points outside the frame get no mark, and no mark is
    // transparent as a whole: the PNG renderer would end the process on such a mark outside of the image.
    {
      data: { values: values.filter(({ y: value }) => value >= low && value <= high) },
      mark: { type: 'point', filled: true, size: 60, opacity: 1 },
      encoding: {
        ...place,
        color: COLOUR,
        shape: MARKER,
        fillOpacity: { condition: { test: 'datum.marked', value: 1 }, value: 0 },
        description,
      },
    },
  ];
}

/** Indices of at most `most` points along a line. `offset` from 0 to 1 shifts them, so that markers of lines do not overlap. */
function markedPoints(length: number, most: number, offset: number): Set<number> {
  if (length <= most) return new Set(Array.from({ length }, (_, i) => i));
  return new Set(Array.from({ length: most }, (_, i) => Math.floor(((i + offset) / most) * length)));
}

/** The median over seeds at every x, with the smallest and the largest value. */
export function overSeeds(
  points: readonly { readonly x: number; readonly y: number }[],
): (Point & { x: number })[] {
  const at = new Map<number, number[]>();
  for (const { x, y } of points) at.set(x, [...(at.get(x) ?? []), y]);
  return [...at]
    .sort(([a], [b]) => a - b)
    .map(([x, values]) => ({ x, y: median(values), low: Math.min(...values), high: Math.max(...values) }));
}

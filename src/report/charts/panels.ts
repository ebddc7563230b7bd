// Panels of one figure side by side, each below its title; long titles are wrapped.

import { type ChartSpec } from './style.js';
import { wrapText } from './text.js';

const FONT_SIZE = 12;

/** A panel: its title, of one or more lines, and its specification without a size. */
export interface Panel {
  readonly title: readonly string[];
  readonly spec: ChartSpec;
}

/** Panels of one size in rows of `columns` panels. */
export function inPanels(
  panels: readonly Panel[],
  { width, height, columns }: { width: number; height: number; columns: number },
): ChartSpec {
  return {
    columns,
    spacing: 24,
    concat: panels.map(({ title, spec }) => ({
      title: {
        text: title.flatMap((line) => wrapText(line, width, FONT_SIZE)),
        anchor: 'middle',
        fontSize: FONT_SIZE,
        fontWeight: 'normal',
        offset: 6,
      },
      width,
      height,
      ...spec,
    })),
  };
}

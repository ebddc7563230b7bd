// Figure 1: Dice along pruning, median line with a band over seeds; the dense networks as horizontal lines.

import { type Line, lineLayers, overSeeds } from './lines.js';
import { withLegend } from './legend.js';
import { type Chart, DICE_AXIS, byMethod, headlines } from './style.js';

const WIDTH = 620;

export const diceOverChannels: Chart = {
  name: 'dice-over-channels',
  title: 'Test Dice over the remaining channels (median, band over seeds; lower values are cut off)',
  spec: (results, looks) => {
    const pruned = byMethod(results, results.steps).map(({ kind, method, name, rows }): Line => {
      const points = rows.flatMap(({ values: { fraction, test_dice: dice } }) =>
        dice === undefined ? [] : [{ x: 100 * fraction, y: dice }],
      );
      return { name, look: looks(kind, method), points: overSeeds(points) };
    });
    const steps = pruned.flatMap(({ points }) => points);
    if (steps.length === 0) return undefined;
    const across = [...new Set(steps.map(({ x }) => x as number))].sort((a, b) => a - b);
    const dense = headlines(results)
      .filter(({ kind }) => kind === 'train')
      .map(({ kind, method, name, dice }): Line => ({
        name,
        look: looks(kind, method),
        points: across.map((x) => ({ x, y: dice })),
      }));
    const lines = [...pruned, ...dense].filter(({ points }) => points.length > 0);
    const x = {
      type: 'quantitative',
      title: 'Prunable channels left (%)',
      scale: { domain: [Math.max(...across), Math.min(...across, 99)], nice: false },
      axis: { labelOverlap: 'greedy' },
    };
    const range = diceRange(lines);
    const y = { ...DICE_AXIS, scale: { domain: range, nice: true, zero: false } };
    return withLegend(
      { width: WIDTH, height: 340, layer: lineLayers(lines, { x, y, range, band: true }) },
      lines,
      {
        width: WIDTH,
        as: 'lines',
      },
    );
  },
};

/**
 * The range of Dice to show. Networks that have learnt nothing yet, or have lost everything, do not differ, so low values are
 * cut off. The best part of every line stays visible, and so does every horizontal line.
 */
function diceRange(lines: readonly Line[]): [low: number, high: number] {
  const values = lines.flatMap(({ points }) => points.flatMap(({ y, low = y, high = y }) => [low, high]));
  const top = Math.max(...values);
  const crests = lines.map(({ points }) => Math.max(...points.map(({ y }) => y)));
  const worthwhile = Math.min(top - 0.2, Math.min(...crests) - 0.02);
  const low = Math.max(Math.min(...values), worthwhile);
  const margin = 0.03 * Math.max(top - low, 0.1);
  return [Math.max(0, low - margin), top + margin];
}

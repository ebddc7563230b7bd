// Figure 8: training loss and test Dice over the epochs, median over seeds.

import { type Line, lineLayers, overSeeds } from './lines.js';
import { withLegend } from './legend.js';
import { inPanels } from './panels.js';
import { type Chart, byMethod, rangeOf } from './style.js';

const PANEL = { width: 360, height: 230, columns: 2 };
const GROUPS = [
  ['train', 'Trained'],
  ['retrain', 'Retrained'],
] as const;
const QUANTITIES = [
  ['train_loss', 'training loss'],
  ['test_dice', 'test Dice'],
] as const;

export const trainingCurves: Chart = {
  name: 'training-curves',
  title: 'Training loss and test Dice over epochs (median over seeds)',
  spec: (results, looks) => {
    const groups = byMethod(results, results.epochs);
    const panels = GROUPS.flatMap(([kind, group]) =>
      QUANTITIES.map(([column, quantity]) => {
        const lines = groups
          .filter((each) => each.kind === kind)
          .map(({ method, name, rows }): Line => {
            const points = rows.flatMap(({ values: { epoch, [column]: value } }) =>
              value === undefined ? [] : [{ x: epoch, y: value }],
            );
            return { name, look: looks(kind, method), points: overSeeds(points) };
          })
          .filter(({ points }) => points.length > 0);
        const points = lines.flatMap((line) => line.points);
        const epochs = rangeOf(
          points.map(({ x }) => x as number),
          2,
        );
        const x = {
          type: 'quantitative',
          title: 'Epoch',
          scale: { domain: epochs, nice: false },
          axis: { tickMinStep: 1, format: 'd' },
        };
        const y = {
          title: null,
          scale: {
            domain: rangeOf(
              points.map((point) => point.y),
              0.02,
            ),
          },
        };
        return { title: [`${group}: ${quantity}`], lines, spec: { layer: lineLayers(lines, { x, y }) } };
      }).filter(({ lines }) => lines.length > 0),
    );
    if (panels.length === 0) return undefined;
    const entries = new Map(panels.flatMap(({ lines }) => lines.map((line) => [line.name, line])));
    return withLegend(inPanels(panels, PANEL), [...entries.values()], {
      width: PANEL.columns * (PANEL.width + 50),
      as: 'lines',
    });
  },
};

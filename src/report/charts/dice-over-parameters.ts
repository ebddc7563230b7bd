// Figure 7, which summarises the paper: Dice over the number of parameters, for every method.

import { withLegend } from './legend.js';
import { COLOUR, type Chart, DICE_AXIS, MARKER, headlines, lookOf } from './style.js';

const WIDTH = 620;

export const diceOverParameters: Chart = {
  name: 'dice-over-parameters',
  title:
    'Test Dice over parameters (median over seeds, line ± MAD; without upper bounds and the final networks of pruning)',
  spec: (results, looks) => {
    const methods = headlines(results)
      .filter(({ bound }) => !bound)
      .map((row) => ({ ...row, look: looks(row.kind, row.method) }));
    if (methods.length === 0) return undefined;
    const values = methods.map(({ look, ...row }) => ({
      ...row,
      ...lookOf(look),
      says: `${row.name}: ${row.parameters.toLocaleString('en')} parameters, Dice ${row.dice.toFixed(4)}`,
    }));
    const x = {
      field: 'parameters',
      type: 'quantitative',
      title: 'Parameters',
      scale: { type: 'log', nice: false, padding: 16 },
    };
    return withLegend(
      {
        data: { values },
        width: WIDTH,
        height: 360,
        layer: [
          {
            mark: { type: 'rule', strokeWidth: 1.5, aria: false },
            encoding: { x, y: { field: 'low', ...DICE_AXIS }, y2: { field: 'high' }, color: COLOUR },
          },
          {
            mark: { type: 'point', filled: true, size: 110, opacity: 1 },
            encoding: {
              x,
              y: { field: 'dice', ...DICE_AXIS },
              color: COLOUR,
              shape: MARKER,
              description: { field: 'says' },
            },
          },
        ],
      },
      methods,
      { width: WIDTH, as: 'points' },
    );
  },
};

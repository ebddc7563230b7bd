// Figure 7, the picture of the whole paper: Dice over the number of parameters, for every method.

import { type Chart, DICE_AXIS, bySplit, headlines, scales } from './style.js';

export const diceOverParameters: Chart = {
  name: 'dice-over-parameters',
  title:
    'Test Dice over parameters (median over seeds, line ± MAD; without upper bounds and the last networks of pruning)',
  spec: (results) => {
    const values = headlines(results)
      .filter(({ bound }) => !bound)
      .map((row) => ({
        ...row,
        kind: { train: 'trained', prune: 'pruned', retrain: 'retrained' }[row.kind],
      }));
    if (values.length === 0) return undefined;
    const { color } = scales(results);
    const x = { field: 'parameters', type: 'quantitative', title: 'Parameters', scale: { type: 'log' } };
    return bySplit(
      results,
      {
        width: 560,
        height: 340,
        layer: [
          {
            mark: { type: 'rule', strokeWidth: 1.5 },
            encoding: { x, y: { field: 'low', ...DICE_AXIS }, y2: { field: 'high' }, color },
          },
          {
            mark: { type: 'point', filled: true, size: 110, opacity: 1 },
            encoding: {
              x,
              y: { field: 'dice', ...DICE_AXIS },
              color,
              shape: { field: 'kind', type: 'nominal', title: 'Kind' },
              tooltip: [{ field: 'method' }, { field: 'parameters' }, { field: 'dice' }],
            },
          },
        ],
      },
      values,
    );
  },
};

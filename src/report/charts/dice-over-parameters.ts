// Figure 7, the picture of the whole paper: Dice over the number of parameters, for every method.

import { type Chart, DICE_AXIS, bySplit, familyOf, isNoRuin, scales } from './style.js';

export const diceOverParameters: Chart = {
  name: 'dice-over-parameters',
  title:
    'Test Dice over parameters (median over seeds, line ± MAD; without upper bounds and the last networks of pruning)',
  spec: (results) => {
    const values = results.summary
      .filter(({ label }, _, all) => label === 'mean' || !all.some((row) => row.label === 'mean'))
      .filter((row) => row['upper_bound'] !== true && isNoRuin(row))
      .map((row) => ({
        split: row.split,
        family: familyOf(row.kind, row.method),
        kind: { train: 'trained', prune: 'pruned', retrain: 'retrained' }[row.kind],
        method: row.method,
        parameters: Number(row['parameters']),
        dice: Number(row['dice_median']),
        low: Number(row['dice_median']) - Number(row['dice_mad']),
        high: Number(row['dice_median']) + Number(row['dice_mad']),
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

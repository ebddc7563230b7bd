// Figure 6: Dice of all methods side by side (dense, scaled, pruned, retrained): one point per method, a bar for the MAD.

import { COLOUR, type Chart, DICE_AXIS, MARKER, headlines, lookOf } from './style.js';

export const methods: Chart = {
  name: 'methods',
  title:
    'Test Dice by method (median ± MAD over seeds; upper bounds hollow, without the final networks of pruning)',
  spec: (results, looks) => {
    const values = headlines(results).map((row) => ({
      ...row,
      ...lookOf(looks(row.kind, row.method)),
      says: `${row.name}: Dice ${row.bound ? '≤ ' : ''}${row.dice.toFixed(4)} ± ${(row.high - row.dice).toFixed(4)}`,
    }));
    if (values.length === 0) return undefined;
    const order = values.map(({ name }) => name);
    const y = {
      field: 'name',
      type: 'nominal',
      sort: order,
      title: null,
      axis: { grid: true, ticks: false },
    };
    return {
      data: { values },
      width: 460,
      height: { step: 22 },
      layer: [
        {
          mark: { type: 'rule', strokeWidth: 2, aria: false },
          encoding: { y, x: { field: 'low', ...DICE_AXIS }, x2: { field: 'high' }, color: COLOUR },
        },
        {
          mark: { type: 'point', size: 90, strokeWidth: 2, opacity: 1 },
          encoding: {
            y,
            x: { field: 'dice', ...DICE_AXIS },
            stroke: COLOUR,
            fill: { ...COLOUR, condition: { test: 'datum.bound', value: 'white' } },
            shape: MARKER,
            description: { field: 'says' },
          },
        },
      ],
    };
  },
};

// Figure 6: every method's Dice side by side: dense, scaled, pruned, retrained; one point a method, a bar for the MAD.

import { type Chart, DICE_AXIS, bySplit, headlines, scales } from './style.js';

export const methods: Chart = {
  name: 'methods',
  title:
    'Test Dice by method (median ± MAD over seeds; upper bounds hollow, without the last networks of pruning)',
  spec: (results) => {
    const values = headlines(results).map((row) => ({
      ...row,
      method: `${row.kind === 'train' ? '' : `${row.kind}: `}${row.method}`,
    }));
    if (values.length === 0) return undefined;
    const order = [...new Set(values.map(({ method }) => method))];
    const { color, shape } = scales(results);
    const y = { field: 'method', type: 'nominal', sort: order, title: null };
    return bySplit(
      results,
      {
        width: 420,
        height: { step: 22 },
        layer: [
          {
            mark: { type: 'rule', strokeWidth: 2 },
            encoding: { y, x: { field: 'low', ...DICE_AXIS }, x2: { field: 'high' }, color },
          },
          {
            mark: { type: 'point', size: 90, strokeWidth: 2 },
            encoding: {
              y,
              x: { field: 'dice', ...DICE_AXIS },
              color,
              shape,
              fillOpacity: { condition: { test: 'datum.bound', value: 0 }, value: 1 },
              fill: color,
            },
          },
        ],
      },
      values,
    );
  },
};

// Figure 8: training loss and test Dice over the epochs, median over seeds.

import { type Chart, familyOf, scales, HOVER_POINT } from './style.js';

export const trainingCurves: Chart = {
  name: 'training-curves',
  title: 'Training loss and test Dice over epochs (median over seeds)',
  spec: (results) => {
    const values = results.epochs.flatMap(({ split, kind, method, values: row }) =>
      (
        [
          ['Training loss', row['train_loss']],
          ['Test Dice', row['test_dice']],
        ] as const
      )
        .filter(([, value]) => value !== undefined && value !== '')
        .map(([quantity, value]) => ({
          family: familyOf(kind, method),
          group: kind === 'train' ? 'trained' : 'retrained',
          line: `${split} ${method}`,
          epoch: Number(row['epoch']),
          quantity,
          value: Number(value),
        })),
    );
    if (values.length === 0) return undefined;
    const { color, strokeDash } = scales(results);
    return {
      data: { values },
      facet: { row: { field: 'group', title: null }, column: { field: 'quantity', title: null } },
      spec: {
        width: 330,
        height: 220,
        mark: { type: 'line', strokeWidth: 1.6, point: HOVER_POINT },
        encoding: {
          x: { field: 'epoch', type: 'quantitative', title: 'Epoch' },
          y: { aggregate: 'median', field: 'value', type: 'quantitative', title: null },
          detail: { field: 'line' },
          color,
          strokeDash,
        },
      },
      resolve: { scale: { y: 'independent' } },
    };
  },
};

// Figure 1: Dice along pruning, median line with a band over seeds; the dense networks as reference lines.

import { type Chart, DICE_AXIS, bySplit, familyOf, headlines, scales, HOVER_POINT } from './style.js';

export const diceOverChannels: Chart = {
  name: 'dice-over-channels',
  title:
    'Test Dice over the channels that remain (median, band over seeds; what is lower lies on the lower edge)',
  spec: (results) => {
    const steps = results.steps.map(({ split, kind, method, values }) => ({
      split,
      family: familyOf(kind, method),
      fraction: 100 * Number(values['fraction']),
      dice: Number(values['test_dice']),
    }));
    if (steps.length === 0) return undefined;
    const dense = headlines(results)
      .filter(({ kind }) => kind === 'train')
      .map(({ split, family, dice }) => ({ split, family, reference: dice }));
    // Where nothing has been learnt yet and where everything is gone, networks differ in nothing worth the space.
    const top = Math.max(...steps.map(({ dice }) => dice), ...dense.map(({ reference }) => reference));
    const axis = { ...DICE_AXIS, scale: { domain: [Math.max(0, top - 0.2), top], nice: true, clamp: true } };
    const { color, strokeDash } = scales(results);
    const x = {
      field: 'fraction',
      type: 'quantitative',
      title: 'Prunable channels left (%)',
      scale: { reverse: true },
    };
    return bySplit(
      results,
      {
        width: 560,
        height: 320,
        layer: [
          {
            mark: { type: 'area', opacity: 0.18 },
            encoding: {
              x,
              y: { aggregate: 'min', field: 'dice', ...axis },
              y2: { aggregate: 'max', field: 'dice' },
              color,
            },
            transform: [{ filter: 'isValid(datum.dice)' }],
          },
          {
            mark: { type: 'line', strokeWidth: 2, point: HOVER_POINT },
            encoding: { x, y: { aggregate: 'median', field: 'dice', ...axis }, color, strokeDash },
            transform: [{ filter: 'isValid(datum.dice)' }],
          },
          {
            mark: { type: 'rule', strokeWidth: 1.5 },
            encoding: { y: { field: 'reference', type: 'quantitative' }, color, strokeDash },
            transform: [{ filter: 'isValid(datum.reference)' }],
          },
        ],
      },
      [...steps, ...dense],
    );
  },
};

// The table of cross-validated Dice.

import { type Results } from './results.js';
import { KIND_NAMES, type Table, grouped, plusMinus } from './table.js';

/** Cross-validated Dice of every method, in the order of the paper; undefined if the splits are no folds. */
export function crossValidationTable({ crossValidation, config }: Results): Table | undefined {
  if (crossValidation === undefined) return undefined;
  const { rows, obstacle, incomplete } = crossValidation;
  const severalLabels = Object.keys(config.dataset.labels).length > 1;
  const headline = rows.filter(
    ({ label, upper_bound }) => !upper_bound && (!severalLabels || label === 'mean'),
  );
  const best = Math.max(...headline.map(({ dice_median }) => dice_median));
  return {
    title: 'Cross-validated test Dice, median ± MAD over seeds',
    columns: [
      { title: 'Kind' },
      { title: 'Method' },
      ...(severalLabels ? [{ title: 'Label' }] : []),
      { title: 'Parameters', align: 'right' },
      { title: 'Dice', align: 'right' },
      { title: 'Cases', align: 'right' },
      { title: 'Seeds', align: 'right' },
    ],
    rows: rows.map((row) => {
      const dice = plusMinus(row.dice_median, row.dice_mad);
      const top = headline.includes(row) && row.dice_median === best;
      return [
        KIND_NAMES[row.kind],
        row.method,
        ...(severalLabels ? [row.label] : []),
        grouped(row.parameters),
        row.upper_bound ? `≤ ${dice}` : top ? `*${dice}*` : dice,
        String(row.cases),
        row.seeds.join(', '),
      ];
    }),
    notes: [
      ...(obstacle === undefined ? [] : [`Nothing is cross-validated: ${obstacle}.`]),
      ...(rows.length === 0
        ? []
        : ['Of each seed the mean over the test cases of all folds, then median ± MAD over the seeds.']),
      ...incomplete.map(({ seeds, folds, methods }) => {
        const names = methods.map(({ kind, method }) => `${KIND_NAMES[kind]} ${method}`);
        const which = `seed${seeds.length > 1 ? 's' : ''} ${seeds.join(', ')}`;
        return `Left out of cross-validation: ${which} of ${names.join(', ')}, without a result in ${folds.join(', ')}.`;
      }),
    ],
  };
}

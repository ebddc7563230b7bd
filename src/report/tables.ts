// The report's tables as plain text cells: the paper's rows, in its order.

import { type Comparison, type Results } from './results.js';

export interface Table {
  readonly title: string;
  readonly columns: readonly { readonly title: string; readonly align?: 'left' | 'right' }[];
  readonly rows: readonly (readonly string[])[];
  /** What a reader must know, below the table. */
  readonly notes: readonly string[];
}

const NAMES: Readonly<Record<string, string>> = {
  train: 'trained',
  prune: 'pruned',
  retrain: 'retrained',
};

/** Dice of every method, one column a split; upper bounds marked, the best unbiased value of a split in asterisks. */
export function diceTable({ summary, config }: Results): Table {
  const splits = [...new Set(summary.map(({ split }) => split))];
  const keys = [...new Set(summary.map(({ kind, method, label }) => `${kind}\n${method}\n${label}`))];
  const severalLabels = new Set(summary.map(({ label }) => label)).size > 1;
  const best = new Map(
    splits.map((split) => {
      const values = summary.filter(
        (row) => row.split === split && row['upper_bound'] !== true && isHeadline(row.label, severalLabels),
      );
      return [split, Math.max(...values.map((row) => Number(row['dice_median'])))];
    }),
  );
  const rows = keys.map((key) => {
    const [kind, method, label] = key.split('\n') as [string, string, string];
    const found = splits.map((split) =>
      summary.find(
        (row) => row.split === split && row.kind === kind && row.method === method && row.label === label,
      ),
    );
    const any = found.find((row) => row !== undefined);
    return [
      NAMES[kind] ?? kind,
      method,
      ...(severalLabels ? [label] : []),
      Number(any?.['parameters']).toLocaleString('en'),
      ...found.map((row, i) => {
        if (row === undefined) return '';
        const value = `${fixed(row['dice_median'])} ± ${fixed(row['dice_mad'])}`;
        if (row['upper_bound'] === true)
          return `≤ ${value} at ${(100 * Number(row['fraction_median'])).toFixed(0)} ± ${(100 * Number(row['fraction_mad'])).toFixed(0)} %`;
        const top =
          isHeadline(label, severalLabels) && Number(row['dice_median']) === best.get(splits[i] as string);
        return top ? `*${value}*` : value;
      }),
      String(any?.['seeds'] ?? ''),
    ];
  });
  const flat = config.models.some(({ family }) => family === 'lunet');
  return {
    title: 'Test Dice, median ± MAD over seeds',
    columns: [
      { title: 'Kind' },
      { title: 'Method' },
      ...(severalLabels ? [{ title: 'Label' }] : []),
      { title: 'Parameters', align: 'right' },
      ...splits.map((split) => ({
        title: split === 'default' ? 'Dice' : `Dice, ${split}`,
        align: 'right' as const,
      })),
      { title: 'Seeds', align: 'right' },
    ],
    rows,
    notes: [
      '*...* is the best unbiased value of its column.',
      '≤ marks the largest Dice along a pruning run (at that share of channels): chosen on the test cases, so an upper bound.',
      ...(flat
        ? [
            'LUnet parameters are those of the architecture; the paper prints about 49 n² more for its flat networks.',
          ]
        : []),
    ],
  };
}

const fixed = (value: unknown): string => Number(value).toFixed(4);

/** With several labels their mean is the headline. */
const isHeadline = (label: string, severalLabels: boolean): boolean => !severalLabels || label === 'mean';

/** Each method against the reference, case by case. */
export function comparisonTable({ comparisons }: Results): Table {
  const splits = new Set(comparisons.map(({ split }) => split)).size > 1;
  return {
    title: `Difference of Dice to ${comparisons[0]?.reference ?? 'the reference'}, by case and seed`,
    columns: [
      ...(splits ? [{ title: 'Split' }] : []),
      { title: 'Kind' },
      { title: 'Method' },
      { title: 'Pairs', align: 'right' },
      { title: 'Median', align: 'right' },
      { title: '95 % interval', align: 'right' },
      { title: 'p', align: 'right' },
    ],
    rows: comparisons.map((row: Comparison) => [
      ...(splits ? [row.split] : []),
      NAMES[row.kind] ?? row.kind,
      row.method,
      String(row.pairs),
      signed(row.medianDifference),
      `${signed(row.interval[0])} to ${signed(row.interval[1])}`,
      row.p < 0.001 ? '< 0.001' : row.p.toFixed(3),
    ]),
    notes: [
      'Interval: percentile bootstrap of the median. p: Wilcoxon signed-rank, two-sided, Holm-corrected. Cases are shared by ' +
        'the seeds, so pairs are not quite independent.',
    ],
  };
}

const signed = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(4)}`;

/** A table in Markdown. */
export function markdownTable({ title, columns, rows, notes }: Table): string {
  const cell = (text: string): string => text.replace(/[\\|<>&*_`]/g, (c) => `\\${c}`);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `**${title}**`,
    '',
    line(columns.map((column) => column.title)),
    line(columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
    ...rows.map((row) => line(row.map(cell))),
    '',
    ...notes.map((note) => cell(note)),
  ].join('\n');
}

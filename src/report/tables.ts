// The tables of the report as plain text cells, with rows in the order of the paper.

import { join } from 'node:path';
import { type FurtherMetric, furtherMetrics } from '../config/metrics.js';
import { hasNamedSplits } from '../config/splits.js';
import { describeCutOff } from '../data/cut-off.js';
import { measureTitle } from '../evaluation/names.js';
import { type Cell } from '../runs/csv.js';
import { type RunKind, splitFolder, splitNames } from '../runs/folders.js';
import { type SummaryRow, summaryMetricColumns } from '../runs/records.js';
import { crossValidationTable } from './cross-validation-table.js';
import { type Comparison, type Results } from './results.js';
import { KIND_NAMES, type Table, grouped, plusMinus } from './table.js';

/**
 * Dice of every method, one column per split; upper bounds are marked, the best unbiased value of a split is in asterisks.
 * Other quantities have one column per split only if they differ between splits.
 */
function diceTable({ summary, config, records }: Results): Table {
  const splits = [...new Set(summary.map(({ split }) => split))];
  const keys = [...new Set(summary.map(({ kind, method, label }) => `${kind}\n${method}\n${label}`))];
  const severalLabels = new Set(summary.map(({ label }) => label)).size > 1;
  const best = new Map(
    splits.map((split) => {
      const values = summary.filter(
        (row) => row.split === split && !row.upper_bound && isHeadline(row.label, severalLabels),
      );
      return [split, Math.max(...values.map((row) => row.dice_median))];
    }),
  );
  const methods = keys.map((key) => {
    const [kind, method, label] = key.split('\n') as [RunKind, string, string];
    const found = splits.map((split) =>
      summary.find(
        (row) => row.split === split && row.kind === kind && row.method === method && row.label === label,
      ),
    );
    return { kind, method, label, found };
  });
  const dice = methods.map(({ label, found }) =>
    found.map((row, i) => {
      if (row === undefined) return '';
      const value = plusMinus(row.dice_median, row.dice_mad);
      if (row.upper_bound)
        return `≤ ${value} at ${(100 * (row.fraction_median ?? NaN)).toFixed(0)} ± ${(100 * (row.fraction_mad ?? NaN)).toFixed(0)} %`;
      const top = isHeadline(label, severalLabels) && row.dice_median === best.get(splits[i] as string);
      return top ? `*${value}*` : value;
    }),
  );
  const named = hasNamedSplits(config);
  const perSplit = (title: string, cells: readonly (readonly string[])[]): Columns =>
    splits.map((split, i) => ({
      title: named ? `${title}, ${split}` : title,
      align: 'right',
      cells: cells.map((row) => row[i] as string),
    }));
  const columns: Columns = [
    { title: 'Kind', cells: methods.map(({ kind }) => KIND_NAMES[kind]) },
    { title: 'Method', cells: methods.map(({ method }) => method) },
    ...(severalLabels ? [{ title: 'Label', cells: methods.map(({ label }) => label) }] : []),
    ...onceIfEqual(
      'Parameters',
      perSplit,
      methods.map(({ found }) => found.map((row) => grouped(row?.parameters))),
    ),
    ...perSplit('Dice', dice),
    ...onceIfEqual(
      'Seeds',
      perSplit,
      methods.map(({ found }) => found.map((row) => String(row?.seeds ?? ''))),
    ),
  ];
  const flat = config.models.some(({ family }) => family === 'lunet');
  return {
    title: 'Test Dice, median ± MAD over seeds',
    columns: columns.map(({ title, align = 'left' }) => ({ title, align })),
    rows: methods.map((_, i) => columns.map(({ cells }) => cells[i] as string)),
    notes:
      methods.length === 0
        ? []
        : [
            '*...* is the best unbiased value of its column.',
            '≤ marks the largest Dice along a pruning run (at that share of channels): selected on the test cases, so an upper bound.',
            ...(flat
              ? [
                  'LUnet parameters are those of the architecture; the paper prints about 49 n² more for its flat networks.',
                ]
              : []),
            ...unequalSeeds(records, splits),
            ...cutOffNotes(records, splits),
          ],
  };
}

/** Dice on stored grids and the further metrics of every method, if there are any: a row per split, method and label. */
function metricsTable({ summary, config }: Results): Table {
  const metrics = furtherMetrics(config);
  const original = summary.some(({ dice_original_median }) => dice_original_median !== undefined);
  const validated = summary.some(({ dice_validated_median }) => dice_validated_median !== undefined);
  const rows = summary.filter(
    ({ dice_validated_median, dice_original_median, misses_median }) =>
      (dice_validated_median ?? dice_original_median ?? misses_median) !== undefined,
  );
  const severalLabels = new Set(summary.map(({ label }) => label)).size > 1;
  const named = hasNamedSplits(config);
  const withMad = (median: Cell, mad: Cell): string =>
    median === undefined ? '' : plusMinus(median as number, mad as number);
  const cell = (row: SummaryRow, metric: FurtherMetric): string => {
    const columns = summaryMetricColumns(metric);
    return withMad(row[columns.median], row[columns.mad]);
  };
  return {
    title: `Test metrics${original ? '' : ' on the training grid'}, median ± MAD over seeds`,
    columns: [
      ...(named ? [{ title: 'Split' }] : []),
      { title: 'Kind' },
      { title: 'Method' },
      ...(severalLabels ? [{ title: 'Label' }] : []),
      ...(validated ? [{ title: 'Dice at the validated epoch', align: 'right' as const }] : []),
      ...(original ? [{ title: 'Dice on stored grids', align: 'right' as const }] : []),
      ...metrics.map((metric) => ({
        title: measureTitle(metric, config.tolerance),
        align: 'right' as const,
      })),
      ...(metrics.length > 0 ? [{ title: 'Misses', align: 'right' as const }] : []),
    ],
    rows: rows.map((row) => [
      ...(named ? [row.split] : []),
      KIND_NAMES[row.kind],
      row.method,
      ...(severalLabels ? [row.label] : []),
      ...(validated ? [withMad(row.dice_validated_median, row.dice_validated_mad)] : []),
      ...(original ? [withMad(row.dice_original_median, row.dice_original_mad)] : []),
      ...metrics.map((metric) => cell(row, metric)),
      ...(metrics.length > 0 ? [String(row.misses_median ?? '')] : []),
    ]),
    notes: [
      ...(validated
        ? [
            'Dice at the validated epoch: test Dice of the epoch with the largest validation Dice (best.safetensors).',
          ]
        : []),
      ...(original
        ? [
            'Dice on stored grids compares the prediction, brought back to the grid of the file, with the labels of the file. ' +
              'All other Dice is on the training grid, that of the preprocessed cases.',
          ]
        : []),
      ...(metrics.length === 0 || rows.length === 0
        ? []
        : [
            'The training grid is that of the preprocessed cases, so numbers differ from those of lunet evaluate on the original grid.',
            'Misses: test cases in which only the truth or only the prediction has the label. Distances leave them out.',
          ]),
    ],
  };
}

type Columns = (Table['columns'][number] & { readonly cells: readonly string[] })[];

/** One column if in every row all splits with a value have the same value; else one per split. */
function onceIfEqual(
  title: string,
  perSplit: (title: string, cells: readonly (readonly string[])[]) => Columns,
  cells: readonly (readonly string[])[],
): Columns {
  const values = cells.map((row) => [...new Set(row.filter((cell) => cell !== ''))]);
  return values.every(({ length }) => length <= 1)
    ? [{ title, align: 'right', cells: values.map(([value = '']) => value) }]
    : perSplit(title, cells);
}

/** A note for each method whose seeds differ between splits. */
function unequalSeeds(records: Results['records'], splits: readonly string[]): string[] {
  const finished = records.filter(({ status }) => status === 'finished');
  const methods = new Map(finished.map(({ kind, method }) => [`${kind}\n${method}`, { kind, method }]));
  return [...methods.values()].flatMap(({ kind, method }) => {
    const seeds = splits.map((split) =>
      finished
        .filter((run) => run.split === split && run.kind === kind && run.method === method)
        .map(({ seed }) => seed)
        .sort((a, b) => a - b)
        .join(', '),
    );
    if (new Set(seeds.filter((list) => list !== '')).size <= 1) return [];
    const lists = splits.map((split, i) => `${split} ${seeds[i] === '' ? 'none' : seeds[i]}`);
    return [`Seeds differ between splits, ${KIND_NAMES[kind]} ${method}: ${lists.join('; ')}.`];
  });
}

/** What cropping removed, one line per split: all runs of a split use the same cases. */
function cutOffNotes(records: Results['records'], splits: readonly string[]): string[] {
  return splits.flatMap((split) => {
    const record = records.find((run) => run.split === split);
    const text = record && describeCutOff(record.cutOff);
    return text === undefined ? [] : [splits.length > 1 ? `Split ${split}: ${text}` : text];
  });
}

/** Whether a row is the headline: with several labels, that of their mean. */
const isHeadline = (label: string, severalLabels: boolean): boolean => !severalLabels || label === 'mean';

/** Each method compared with the reference, case by case; or why the reference is missing. */
function comparisonTable({ comparisons, reference, records, config, leftOut }: Results): Table {
  const splits = hasNamedSplits(config);
  const missing = splitNames(config).flatMap((split) => {
    const runs = records.filter(
      (run) => run.split === split && run.kind === 'train' && run.method === reference,
    );
    if (runs.some(({ status }) => status === 'finished')) return [];
    const nothing = `Nothing is compared with ${reference}${splits ? ` in split ${split}` : ''}: `;
    const folder = join(splitFolder(config, split), 'train', reference);
    if (runs.length === 0 && leftOut.some((line) => line.startsWith(`${folder}/`)))
      return [`${nothing}its runs are left out, for the reasons given there.`];
    const state =
      runs.length === 0 ? 'has not been trained' : `is ${runs.map(({ status }) => status).join(', ')}`;
    const model = quoted(reference);
    return [
      `${nothing}it ${state}. ` +
        `Run: lunet train --model ${model}${splits ? ` --split ${quoted(split)}` : ''}, or choose another with --reference.`,
    ];
  });
  return {
    title: `Difference of Dice to ${reference}, by case and seed`,
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
      KIND_NAMES[row.kind],
      row.method,
      String(row.pairs),
      signed(row.medianDifference),
      `${signed(row.interval[0])} to ${signed(row.interval[1])}`,
      row.p < 0.001 ? '< 0.001' : row.p.toFixed(3),
    ]),
    notes: [
      ...missing,
      ...(comparisons.length === 0
        ? []
        : [
            'Interval: percentile bootstrap of the median. p: Wilcoxon signed-rank, two-sided, Holm-corrected. All seeds use the ' +
              'same cases, so pairs are not fully independent.',
          ]),
    ],
  };
}

/** A name as typed on a command line. */
const quoted = (name: string): string => (/^[\w.@+-]+$/.test(name) ? name : `'${name}'`);

const signed = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(4)}`;

/** All tables that have rows or notes. */
export function reportTables(results: Results): Table[] {
  const crossValidation = crossValidationTable(results);
  return [
    ...(crossValidation ? [crossValidation] : []),
    diceTable(results),
    metricsTable(results),
    comparisonTable(results),
  ].filter(({ rows, notes }) => rows.length > 0 || notes.length > 0);
}

/** A table in Markdown. */
export function markdownTable({ title, columns, rows, notes }: Table): string {
  const cell = (text: string): string => text.replace(/[\\|<>&*_`]/g, (c) => `\\${c}`);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const body = [
    line(columns.map((column) => cell(column.title))),
    line(columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
    ...rows.map((row) => line(row.map(cell))),
    '',
  ];
  return [
    `**${cell(title)}**`,
    '',
    ...(rows.length === 0 ? [] : body),
    ...notes.map((note) => cell(note)),
  ].join('\n');
}

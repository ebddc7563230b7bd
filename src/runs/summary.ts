// summary.csv of an experiment: every method over its seeds, from the records of its runs.

import { join } from 'node:path';
import { median, medianAbsoluteDeviation } from 'simple-statistics';
import { type FurtherMetric } from '../config/metrics.js';
import { totalChannels } from '../network/architecture.js';
import { writeCsv } from './csv.js';
import { type FoundRun } from './find.js';
import { type RunKind, SUMMARY_FILE } from './folders.js';
import { type Row } from './csv.js';
import { type SummaryRow, summaryColumns, summaryMetricColumns } from './records.js';
import { type BestEpoch, type PruningResult, type PruningStep, type TestMetrics } from './run.js';

/** Runs of one kind by method, in the order in which the methods were found. */
function byMethod(runs: readonly FoundRun[], kind: RunKind): Map<string, FoundRun[]> {
  const methods = new Map<string, FoundRun[]>();
  for (const run of runs.filter(({ record }) => record.kind === kind))
    methods.set(run.record.method, [...(methods.get(run.record.method) ?? []), run]);
  return methods;
}

/**
 * Cells of the further metrics of one label, or with 0 of the mean over labels. A seed whose runs have no value, such as a
 * distance where every case is a miss, counts in misses only.
 */
function metricCells(seeds: readonly (TestMetrics | undefined)[], label: number): Row {
  const known = seeds.flatMap((metrics) => metrics ?? []);
  if (known.length === 0) return {};
  const metrics = Object.keys(known[0]?.means ?? {}) as FurtherMetric[];
  const cells = metrics.flatMap((metric): [string, number | undefined][] => {
    const values = known.flatMap(({ means }) => means[metric]?.[label] ?? []);
    const columns = summaryMetricColumns(metric);
    return [
      [columns.median, values.length === 0 ? undefined : median(values)],
      [columns.mad, values.length === 0 ? undefined : medianAbsoluteDeviation(values)],
    ];
  });
  return {
    ...Object.fromEntries(cells),
    misses_median: median(known.map(({ misses }) => misses[label] as number)),
  };
}

/** Cells of Dice on the grids of the files for one label, or with 0 for the mean over labels; none where it was not measured. */
function originalCells(seeds: readonly (readonly number[] | undefined)[], label: number): Row {
  const dice = seeds.flatMap((byLabel) => byLabel?.[label] ?? []);
  if (dice.length === 0) return {};
  return { dice_original_median: median(dice), dice_original_mad: medianAbsoluteDeviation(dice) };
}

/** Cells of the test Dice at the epoch that validation chose, for one label or with 0 for the mean over labels. */
function validatedCells(seeds: readonly (BestEpoch | undefined)[], label: number): Row {
  const dice = seeds.flatMap((best) => best?.testDice[label] ?? []);
  if (dice.length === 0) return {};
  return { dice_validated_median: median(dice), dice_validated_mad: medianAbsoluteDeviation(dice) };
}

/** Rows of finished training or retraining runs: the mean over labels first, then one per label. */
function trainingRows(runs: readonly FoundRun[], kind: 'train' | 'retrain'): SummaryRow[] {
  const rows: SummaryRow[] = [];
  for (const [method, found] of byMethod(runs, kind)) {
    const finished = found.map(({ record }) => record).filter(({ status }) => status === 'finished');
    const [first] = finished;
    if (!first) continue;
    const labels = first.labels.length > 1 ? ['mean', ...first.labels] : [...first.labels];
    for (const [i, label] of labels.entries()) {
      const dice = finished.map(({ testDice }) => testDice?.[i] as number);
      rows.push({
        kind,
        method,
        label,
        parameters: median(finished.map(({ parameters }) => parameters)),
        channels: median(finished.map(({ architecture }) => totalChannels(architecture))),
        multiply_adds: median(finished.map(({ multiplyAdds }) => multiplyAdds)),
        seeds: finished.length,
        dice_median: median(dice),
        dice_mad: medianAbsoluteDeviation(dice),
        upper_bound: false,
        seconds_median: median(finished.map(({ seconds }) => seconds)),
        ...validatedCells(
          finished.map(({ best }) => best),
          i,
        ),
        ...originalCells(
          finished.map(({ testDiceOriginal }) => testDiceOriginal),
          i,
        ),
        ...metricCells(
          finished.map(({ testMetrics }) => testMetrics),
          i,
        ),
      });
    }
  }
  return rows;
}

/**
 * Rows of pruning runs: the step with the largest test Dice (an upper bound), the step chosen on validation cases, the
 * snapshots, and the end.
 */
function pruningRows(runs: readonly FoundRun[]): SummaryRow[] {
  const rows: SummaryRow[] = [];
  for (const [method, found] of byMethod(runs, 'prune')) {
    const results = found.map(({ record }) => record).filter((record) => record.pruning !== undefined);
    if (results.length === 0) continue;
    const seconds = median(results.map((record) => record.seconds));
    const labels = results[0]?.labels ?? [];
    const add = (
      point: string,
      pick: (result: PruningResult) => PruningStep | undefined,
      upperBound: boolean,
    ): void => {
      const steps = results.flatMap((record) => pick(record.pruning as PruningResult) ?? []);
      if (steps.length === 0) return;
      for (const [i, label] of (labels.length > 1 ? ['mean', ...labels] : labels).entries()) {
        const dice = steps.map((step) => (i === 0 ? step.testDice : (step.testDiceByLabel[i - 1] as number)));
        const fractions = steps.map(({ fraction }) => fraction);
        rows.push({
          kind: 'prune',
          method: `${method} ${point}`,
          label,
          parameters: median(steps.map(({ parameters }) => parameters)),
          channels: median(steps.map(({ architecture }) => totalChannels(architecture))),
          multiply_adds: median(steps.map(({ multiplyAdds }) => multiplyAdds)),
          seeds: steps.length,
          dice_median: median(dice),
          dice_mad: medianAbsoluteDeviation(dice),
          upper_bound: upperBound,
          fraction_median: median(fractions),
          fraction_mad: medianAbsoluteDeviation(fractions),
          seconds_median: seconds,
          ...originalCells(
            steps.map(({ testDiceOriginal }) => testDiceOriginal),
            i,
          ),
          ...metricCells(
            steps.map(({ testMetrics }) => testMetrics),
            i,
          ),
        });
      }
    };
    add('best', ({ best }) => best, true);
    add('chosen on validation', ({ chosen }) => chosen, false);
    const percents = new Set(results.flatMap(({ pruning }) => Object.keys(pruning?.snapshots ?? {})));
    for (const percent of [...percents].sort((a, b) => Number(b) - Number(a)))
      add(`${percent}%`, ({ snapshots }) => snapshots[percent], false);
    add('final', ({ final }) => final, false);
  }
  return rows;
}

/** All rows of the summary of a split: trained models, pruning runs, retrained architectures. */
export function summarise(runs: readonly FoundRun[]): SummaryRow[] {
  return [...trainingRows(runs, 'train'), ...pruningRows(runs), ...trainingRows(runs, 'retrain')];
}

/** Writes summary.csv into the folder of a split; returns its rows. */
export function writeSummary(base: string, runs: readonly FoundRun[]): SummaryRow[] {
  const rows = summarise(runs);
  writeCsv(join(base, SUMMARY_FILE), summaryColumns(rows), rows);
  return rows;
}

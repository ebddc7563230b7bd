// summary.csv of an experiment: every method over its seeds, rebuilt from the runs' records.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { median, medianAbsoluteDeviation } from 'simple-statistics';
import { totalChannels } from '../network/architecture.js';
import { UserError } from '../errors.js';
import { writeCsv } from './csv.js';
import { SUMMARY_COLUMNS, type SummaryRow } from './records.js';
import { type RunKind } from './folders.js';
import { type PruningResult, type PruningStep, type RunRecord, readRun } from './run.js';

/** A run that was found on disk. */
export interface FoundRun {
  readonly folder: string;
  readonly record: RunRecord;
}

/** All runs of a kind below a split's folder, by method and seed; `damaged` is told of records that cannot be read. */
export function findRuns(base: string, kind: RunKind, damaged: (error: UserError) => void): FoundRun[] {
  const found: FoundRun[] = [];
  const search = (folder: string): void => {
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      if (!statSync(path).isDirectory()) continue;
      if (!/^seed-\d+$/.test(name)) search(path);
      else {
        try {
          const record = readRun(path);
          if (record) found.push({ folder: path, record });
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          damaged(error);
        }
      }
    }
  };
  if (existsSync(join(base, kind))) search(join(base, kind));
  return found.sort((a, b) => a.record.seed - b.record.seed);
}

/** A summary is of results; a damaged record is reported when its run is started, and by the report. */
const leaveOut = (): undefined => undefined;

/** Runs of one method, in the order in which the methods were found. */
function byMethod(runs: readonly FoundRun[]): Map<string, FoundRun[]> {
  const methods = new Map<string, FoundRun[]>();
  for (const run of runs) methods.set(run.record.method, [...(methods.get(run.record.method) ?? []), run]);
  return methods;
}

/** Rows of trained or retrained networks that have finished: the mean over labels first, then one a label. */
function trainingRows(base: string, kind: 'train' | 'retrain'): SummaryRow[] {
  const rows: SummaryRow[] = [];
  for (const [method, runs] of byMethod(findRuns(base, kind, leaveOut))) {
    const finished = runs.map(({ record }) => record).filter(({ status }) => status === 'finished');
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
      });
    }
  }
  return rows;
}

/**
 * Rows of pruning runs, one a figure: the largest test Dice (an upper bound) with the share of channels where it
 * occurs, the step chosen on validation cases, the snapshots, the end.
 */
function pruningRows(base: string): SummaryRow[] {
  const rows: SummaryRow[] = [];
  for (const [method, runs] of byMethod(findRuns(base, 'prune', leaveOut))) {
    const results = runs.map(({ record }) => record).filter((record) => record.pruning !== undefined);
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

/** All rows of a split's summary: trained models, pruning runs, retrained architectures. */
export function summarise(base: string): SummaryRow[] {
  return [...trainingRows(base, 'train'), ...pruningRows(base), ...trainingRows(base, 'retrain')];
}

/** Rebuilds summary.csv in a split's folder; returns its rows. */
export function writeSummary(base: string): SummaryRow[] {
  const rows = summarise(base);
  writeCsv(join(base, 'summary.csv'), SUMMARY_COLUMNS, rows);
  return rows;
}

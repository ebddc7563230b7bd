// summary.csv of an experiment: every method over its seeds, rebuilt from the runs' records.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { median, medianAbsoluteDeviation } from 'simple-statistics';
import { totalChannels } from '../network/architecture.js';
import { writeCsv } from './csv.js';
import { SUMMARY_COLUMNS, type SummaryRow } from './records.js';
import { type RunKind } from './folders.js';
import { type RunRecord, readRun } from './run.js';

/** A run that was found on disk. */
export interface FoundRun {
  readonly folder: string;
  readonly record: RunRecord;
}

/** All runs of a kind below a split's folder, by method and seed. */
export function findRuns(base: string, kind: RunKind): FoundRun[] {
  const found: FoundRun[] = [];
  const search = (folder: string): void => {
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      if (!statSync(path).isDirectory()) continue;
      if (!/^seed-\d+$/.test(name)) search(path);
      else {
        const record = readRun(path);
        if (record) found.push({ folder: path, record });
      }
    }
  };
  if (existsSync(join(base, kind))) search(join(base, kind));
  return found.sort((a, b) => a.record.seed - b.record.seed);
}

/** Runs of one method, in the order in which the methods were found. */
export function byMethod(runs: readonly FoundRun[]): Map<string, FoundRun[]> {
  const methods = new Map<string, FoundRun[]>();
  for (const run of runs) methods.set(run.record.method, [...(methods.get(run.record.method) ?? []), run]);
  return methods;
}

/** Rows of trained or retrained networks that have finished: the mean over labels first, then one a label. */
export function trainingRows(base: string, kind: 'train' | 'retrain'): SummaryRow[] {
  const rows: SummaryRow[] = [];
  for (const [method, runs] of byMethod(findRuns(base, kind))) {
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

/** Rebuilds summary.csv in a split's folder; returns its rows. */
export function writeSummary(base: string): SummaryRow[] {
  const rows = [...trainingRows(base, 'train'), ...trainingRows(base, 'retrain')];
  writeCsv(join(base, 'summary.csv'), SUMMARY_COLUMNS, rows);
  return rows;
}

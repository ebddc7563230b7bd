// All numbers of a report, computed in one place from the runs' records; tables, CSV files, charts and the page only show
// them.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { median } from 'simple-statistics';
import { firstFullUnet, modelName } from '../config/models.js';
import { type Experiment } from '../config/schema.js';
import { choose } from '../config/suggest.js';
import { UserError } from '../errors.js';
import { readCsv } from '../runs/csv.js';
import { type RunKind, splitFolder, splitNames } from '../runs/folders.js';
import { type SummaryRow } from '../runs/records.js';
import { type RunRecord } from '../runs/run.js';
import { type FoundRun, findRuns, summarise } from '../runs/summary.js';
import { inPaperOrder } from './order.js';
import { holm, medianInterval, wilcoxon } from './statistics.js';

/** One row of a CSV file of a run, with where it came from. */
export interface RunRow {
  readonly split: string;
  readonly kind: RunKind;
  readonly method: string;
  readonly seed: number;
  readonly values: Readonly<Record<string, string>>;
}

/** A method against the reference, case by case and seed by seed. */
export interface Comparison {
  readonly split: string;
  readonly kind: RunKind;
  readonly method: string;
  readonly reference: string;
  readonly pairs: number;
  /** Of Dice, method minus reference. */
  readonly medianDifference: number;
  /** 95 % bootstrap interval of the median. */
  readonly interval: readonly [number, number];
  /** Wilcoxon signed-rank, corrected by Holm over the split's comparisons. */
  readonly p: number;
}

export interface Results {
  readonly config: Experiment;
  /** The summary's rows with their split. */
  readonly summary: readonly (SummaryRow & { readonly split: string })[];
  readonly steps: readonly RunRow[];
  readonly epochs: readonly RunRow[];
  readonly scores: readonly RunRow[];
  readonly comparisons: readonly Comparison[];
  readonly records: readonly (RunRecord & { readonly split: string })[];
  /** Runs that have not finished, in words. */
  readonly unfinished: readonly string[];
}

/**
 * Reads every run of an experiment. `reference` is the model that others are compared with: by default the first
 * full-width unet. Throws a UserError of kind `failed` if nothing has been run.
 */
export function collectResults(config: Experiment, reference?: string): Results {
  const damaged: string[] = [];
  const splits = splitNames(config).map((split) => {
    const base = splitFolder(config, split);
    const runs = (['train', 'prune', 'retrain'] as const).flatMap((kind) =>
      findRuns(base, kind, ({ message }) => damaged.push(message)),
    );
    return { split, base, runs };
  });
  if (damaged.length === 0 && splits.every(({ runs }) => runs.length === 0))
    throw new UserError('failed', `${splits[0]?.base}: there is nothing to report yet; run: lunet train`);
  const rows = (kind: RunKind | undefined, file: string): RunRow[] =>
    splits.flatMap(({ split, runs }) =>
      runs
        .filter(({ record }) => kind === undefined || record.kind === kind)
        .flatMap(({ folder, record }) =>
          readRows(join(folder, file)).map((values) => ({
            split,
            kind: record.kind,
            method: record.method,
            seed: record.seed,
            values,
          })),
        ),
    );
  const against = chooseReference(config, reference);
  return {
    config,
    summary: splits.flatMap(({ split, base }) =>
      inPaperOrder(config, summarise(base)).map((row) => ({ split, ...row })),
    ),
    steps: rows('prune', 'steps.csv'),
    epochs: rows(undefined, 'epochs.csv'),
    scores: rows('prune', 'scores.csv'),
    comparisons: splits.flatMap(({ split, runs }) => inPaperOrder(config, compare(split, runs, against))),
    records: splits.flatMap(({ split, runs }) => runs.map(({ record }) => ({ split, ...record }))),
    unfinished: [
      ...splits.flatMap(({ runs }) =>
        runs
          .filter(({ record }) => record.status !== 'finished')
          .map(({ folder, record }) => `${folder}: ${record.status}`),
      ),
      ...damaged,
    ],
  };
}

function readRows(path: string): Record<string, string>[] {
  return existsSync(path) ? readCsv(path) : [];
}

function chooseReference({ models }: Experiment, wanted: string | undefined): string {
  const [reference] = choose(
    '--reference',
    [wanted ?? modelName(firstFullUnet(models))],
    models.map(modelName),
  );
  return reference as string;
}

/** Dice by seed and case, of a finished run's file. */
function caseDice(runs: readonly FoundRun[], file: string): Map<string, number> {
  const dice = new Map<string, number>();
  for (const { folder, record } of runs)
    for (const row of readRows(join(folder, file)))
      dice.set(`${record.seed}/${row['case']}`, Number(row['dice']));
  return dice;
}

function compare(split: string, runs: readonly FoundRun[], reference: string): Comparison[] {
  const of = (kind: RunKind, method: string): FoundRun[] =>
    runs.filter(
      ({ record }) => record.kind === kind && record.method === method && record.status === 'finished',
    );
  const base = caseDice(of('train', reference), 'cases.csv');
  if (base.size === 0) return [];
  const methods = [...new Set(runs.map(({ record }) => `${record.kind}\n${record.method}`))].map(
    (key) => key.split('\n') as [RunKind, string],
  );
  const candidates = methods.flatMap(([kind, method]): [RunKind, string, Map<string, number>][] => {
    const found = of(kind, method);
    if (kind !== 'prune') return method === reference ? [] : [[kind, method, caseDice(found, 'cases.csv')]];
    const percents = new Set(found.flatMap(({ record }) => Object.keys(record.pruning?.snapshots ?? {})));
    return [...percents]
      .sort((a, b) => Number(b) - Number(a))
      .map((percent) => [kind, `${method} ${percent}%`, caseDice(found, `cases-${percent}.csv`)]);
  });
  const compared = candidates.flatMap(([kind, method, dice]) => {
    const differences = [...dice].flatMap(([key, value]) => {
      const other = base.get(key);
      return other === undefined ? [] : [value - other];
    });
    return differences.length === 0 ? [] : [{ kind, method, differences }];
  });
  const p = holm(compared.map(({ differences }) => wilcoxon(differences)));
  return compared.map(({ kind, method, differences }, i) => ({
    split,
    kind,
    method,
    reference,
    pairs: differences.length,
    medianDifference: median(differences),
    interval: medianInterval(differences),
    p: p[i] as number,
  }));
}

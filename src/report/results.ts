// Computes all numbers of a report in one place, from the records of the runs; tables, CSV files, charts and the page only
// show them.

import { median } from 'simple-statistics';
import { firstFullUnet, modelName } from '../config/models.js';
import { type Experiment } from '../config/schema.js';
import { choose } from '../config/suggest.js';
import { UserError } from '../errors.js';
import { type SplitRuns, collectRuns, describeLeftOut } from '../experiment/collect.js';
import { type FoundRun } from '../runs/find.js';
import { FILES, type RunKind, type SnapshotCasesFile, snapshotCasesFile } from '../runs/folders.js';
import { type EpochRow, type ScoreRow, type StepRow, type SummaryRow } from '../runs/records.js';
import { type RowsOf, readRows } from '../runs/rows.js';
import { type RunRecord } from '../runs/run.js';
import { summarise } from '../runs/summary.js';
import { type CrossValidation, crossValidate, crossValidatedColumns } from './cross-validation.js';
import { inPaperOrder } from './order.js';
import { holm, medianInterval, wilcoxon } from './statistics.js';

/** One row of a file of a run, with its source. */
export interface RunRow<Values> {
  readonly split: string;
  readonly kind: RunKind;
  readonly method: string;
  readonly seed: number;
  readonly values: Values;
}

/** A method compared with the reference, case by case and seed by seed. */
export interface Comparison {
  /** ALL_FOLDS for the test cases of all folds together. */
  readonly split: string;
  readonly kind: RunKind;
  readonly method: string;
  readonly reference: string;
  readonly pairs: number;
  /** Median of Dice differences, method minus reference. */
  readonly medianDifference: number;
  /** 95 % bootstrap interval of that median. */
  readonly interval: readonly [number, number];
  /** Wilcoxon signed-rank test, Holm-corrected over the comparisons of the split. */
  readonly p: number;
}

export interface Results {
  readonly config: Experiment;
  /** The rows of the summary with their split; with folds, also with cross-validated Dice, which all folds of a method share. */
  readonly summary: readonly (SummaryRow & { readonly split: string })[];
  /** If the splits are folds. */
  readonly crossValidation?: CrossValidation | undefined;
  readonly steps: readonly RunRow<StepRow>[];
  readonly epochs: readonly RunRow<EpochRow>[];
  readonly scores: readonly RunRow<ScoreRow>[];
  readonly comparisons: readonly Comparison[];
  /** The model that others are compared with. */
  readonly reference: string;
  readonly records: readonly (RunRecord & { readonly split: string })[];
  /** Descriptions of runs that have not finished. */
  readonly unfinished: readonly string[];
  /** Descriptions of runs and files that no number here uses, with the reason. */
  readonly leftOut: readonly string[];
}

/**
 * Reads every run of an experiment as configured now. `reference` is the model that others are compared with, by default
 * the first full-width unet. Throws a UserError of kind `failed` if there is no run, or none with the current settings.
 */
export function collectResults(config: Experiment, reference?: string): Results {
  const splits = collectRuns(config);
  const leftOut = describeLeftOut(splits);
  if (splits.every(({ runs }) => runs.length === 0)) throw nothingToReport(splits, leftOut);
  const against = chooseReference(config, reference);
  const read = tolerantReader(leftOut);
  const crossValidation = crossValidate(config, splits);
  const rows = <File extends keyof RowsOf>(kind: RunKind, file: File): RunRow<RowsOf[File]>[] =>
    splits.flatMap(({ split, runs }) =>
      runs
        .filter(({ record }) => record.kind === kind)
        .flatMap((run) => {
          const { kind, method, seed } = run.record;
          return read(run, file).map((values) => ({ split, kind, method, seed, values }));
        }),
    );
  return {
    config,
    summary: splits.flatMap(({ split, runs }) =>
      inPaperOrder(config, summarise(runs)).map((row) => ({
        split,
        ...row,
        ...crossValidatedColumns(crossValidation, row),
      })),
    ),
    crossValidation,
    steps: rows('prune', FILES.steps),
    epochs: [...rows('train', FILES.epochs), ...rows('retrain', FILES.epochs)],
    scores: rows('prune', FILES.scores),
    comparisons: [
      ...(crossValidation ? [comparePooled(crossValidation, splits, against, read)] : []),
      ...splits.map(({ split, runs }) => compare(split, runs, against, read)),
    ].flatMap((compared) => inPaperOrder(config, compared)),
    reference: against,
    records: splits.flatMap(({ split, runs }) => runs.map(({ record }) => ({ ...record, split }))),
    unfinished: splits.flatMap(({ runs }) =>
      runs
        .filter(({ record }) => record.status !== 'finished')
        .map(({ folder, record }) => `${folder}: ${record.status}`),
    ),
    leftOut,
  };
}

function nothingToReport(splits: readonly SplitRuns[], leftOut: readonly string[]): UserError {
  return leftOut.length === 0
    ? new UserError('failed', `${splits[0]?.base}: there is nothing to report yet; run: lunet train`)
    : new UserError(
        'failed',
        ['there is nothing to report for these settings; these were left out:', ...leftOut].join('\n'),
      );
}

type RowReader = <File extends keyof RowsOf>(run: FoundRun, file: File) => RowsOf[File][];

/** Reads rows; leaves out files that fail their check, and reports each once. */
function tolerantReader(leftOut: string[]): RowReader {
  return (run, file) => {
    try {
      return readRows(run, file);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (!leftOut.includes(error.message)) leftOut.push(error.message);
      return [];
    }
  };
}

function chooseReference({ models }: Experiment, wanted: string | undefined): string {
  const [reference] = choose(
    '--reference',
    [wanted ?? modelName(firstFullUnet(models))],
    models.map(modelName),
  );
  return reference as string;
}

/** Dice by seed and case, from one file of each finished run. */
function diceBySeedAndCase(
  runs: readonly FoundRun[],
  file: typeof FILES.cases | SnapshotCasesFile,
  read: RowReader,
): Map<string, number> {
  const dice = new Map<string, number>();
  for (const run of runs)
    for (const row of read(run, file)) dice.set(`${run.record.seed}/${row.case}`, row.dice);
  return dice;
}

/** Where comparisons are of the test cases of all folds. */
const ALL_FOLDS = 'all folds';

/** Comparisons over the test cases of all folds, for seeds with a result in every fold. */
function comparePooled(
  crossValidation: CrossValidation,
  folds: readonly SplitRuns[],
  reference: string,
  read: RowReader,
): Comparison[] {
  const runs = folds.flatMap((fold) => fold.runs);
  const isComplete = (kind: RunKind, method: string, seed: number): boolean =>
    crossValidation.rows.some(
      (row) => row.kind === kind && row.method === method && row.seeds.includes(seed),
    );
  return compare(ALL_FOLDS, runs, reference, read, isComplete);
}

/** Compares the finished runs of every method with those of the reference; of a method only the seeds that count. */
function compare(
  split: string,
  runs: readonly FoundRun[],
  reference: string,
  read: RowReader,
  counts: (kind: RunKind, method: string, seed: number) => boolean = () => true,
): Comparison[] {
  const of = (kind: RunKind, method: string, point = ''): FoundRun[] =>
    runs.filter(
      ({ record }) =>
        record.kind === kind &&
        record.method === method &&
        record.status === 'finished' &&
        counts(kind, method + point, record.seed),
    );
  const base = diceBySeedAndCase(of('train', reference), FILES.cases, read);
  if (base.size === 0) return [];
  const methods = [...new Set(runs.map(({ record }) => `${record.kind}\n${record.method}`))].map(
    (key) => key.split('\n') as [RunKind, string],
  );
  const candidates = methods.flatMap(([kind, method]): [RunKind, string, Map<string, number>][] => {
    if (kind !== 'prune')
      return method === reference
        ? []
        : [[kind, method, diceBySeedAndCase(of(kind, method), FILES.cases, read)]];
    const ofMethod = runs.filter(({ record }) => record.kind === kind && record.method === method);
    const percents = new Set(ofMethod.flatMap(({ record }) => Object.keys(record.pruning?.snapshots ?? {})));
    return [...percents]
      .sort((a, b) => Number(b) - Number(a))
      .map((percent) => [
        kind,
        `${method} ${percent}%`,
        diceBySeedAndCase(of(kind, method, ` ${percent}%`), snapshotCasesFile(percent), read),
      ]);
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

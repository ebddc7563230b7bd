// Cross-validated Dice of every method: the mean over the test cases of all folds, seed by seed.

import { median, medianAbsoluteDeviation } from 'simple-statistics';
import { type Experiment } from '../config/schema.js';
import { hasFolds, repeatedCases } from '../config/splits.js';
import { type SplitRuns } from '../experiment/collect.js';
import { type Row } from '../runs/csv.js';
import { type FoundRun } from '../runs/find.js';
import { type SummaryRow } from '../runs/records.js';
import { type Cases } from '../runs/run.js';
import { summarise } from '../runs/summary.js';
import { inPaperOrder } from './order.js';
import { pooledMean } from './statistics.js';

/** The cross-validated Dice of a method for one label, or the mean over labels. */
export interface CrossValidated extends Pick<SummaryRow, 'kind' | 'method' | 'label' | 'upper_bound'> {
  /** Seeds with a result in every fold: only these count. */
  readonly seeds: readonly number[];
  /** Test cases of all folds. */
  readonly cases: number;
  /** Median over seeds and folds. */
  readonly parameters: number;
  /** Median over seeds of the mean over cases, and median absolute deviation. */
  readonly dice_median: number;
  readonly dice_mad: number;
}

export interface CrossValidation {
  readonly rows: readonly CrossValidated[];
  /** Why nothing can be pooled, if so. */
  readonly obstacle?: string;
  /** Seeds that are left out, since some folds have no result. */
  readonly incomplete: readonly Incomplete[];
}

type Method = Pick<SummaryRow, 'kind' | 'method'>;

/** Methods without a result of these seeds in some folds. */
interface Incomplete {
  readonly seeds: readonly number[];
  readonly folds: readonly string[];
  readonly methods: readonly Method[];
}

/** A method, point of pruning or label with its results by seed and fold. */
interface Entry {
  readonly row: SummaryRow;
  readonly results: Map<number, Map<string, SummaryRow>>;
}

/** The cross-validated Dice of the runs of all folds; undefined if the splits of the experiment are no folds. */
export function crossValidate(
  config: Experiment,
  folds: readonly Pick<SplitRuns, 'split' | 'runs'>[],
): CrossValidation | undefined {
  if (!hasFolds(config)) return undefined;
  const cases = new Map(folds.flatMap(({ split, runs }) => runs.map(({ record }) => [split, record.cases])));
  const obstacle = whyNotPooled(
    folds.flatMap(({ runs }) => runs),
    cases,
  );
  if (obstacle !== undefined) return { rows: [], obstacle, incomplete: [] };
  const names = folds.map(({ split }) => split);
  const entries = entriesOf(folds);
  const tested = (fold: string): number => (cases.get(fold) as Cases).test.length;
  const rows = entries.flatMap(({ row, results }): CrossValidated[] => {
    const complete = [...results]
      .filter(([, byFold]) => byFold.size === names.length)
      .sort(([a], [b]) => a - b);
    if (complete.length === 0) return [];
    const means = complete.map(([, byFold]) =>
      pooledMean([...byFold].map(([fold, { dice_median }]) => ({ mean: dice_median, cases: tested(fold) }))),
    );
    const { kind, method, label, upper_bound } = row;
    return [
      {
        ...{ kind, method, label, upper_bound },
        seeds: complete.map(([seed]) => seed),
        cases: names.reduce((sum, name) => sum + tested(name), 0),
        parameters: median(
          complete.flatMap(([, byFold]) => [...byFold.values()].map(({ parameters }) => parameters)),
        ),
        dice_median: median(means),
        dice_mad: medianAbsoluteDeviation(means),
      },
    ];
  });
  return { rows: inPaperOrder(config, rows), incomplete: incompleteSeeds(entries, names) };
}

/** The seeds without a result in some folds; methods that lack the same are named together. */
function incompleteSeeds(entries: readonly Entry[], names: readonly string[]): Incomplete[] {
  const ofMethods = new Map<string, { method: Method; folds: string[]; seeds: Set<number> }>();
  for (const { row, results } of entries)
    for (const [seed, byFold] of results) {
      const folds = names.filter((name) => !byFold.has(name));
      if (folds.length === 0) continue;
      const method = { kind: row.kind, method: row.method };
      const key = JSON.stringify([method, folds]);
      // A method has an entry for each label.
      const found = ofMethods.get(key) ?? { method, folds, seeds: new Set<number>() };
      ofMethods.set(key, found);
      found.seeds.add(seed);
    }
  const together = new Map<string, Incomplete & { methods: Method[] }>();
  for (const { method, folds, seeds: found } of ofMethods.values()) {
    const seeds = [...found].sort((a, b) => a - b);
    const key = JSON.stringify([folds, seeds]);
    const same = together.get(key) ?? { seeds, folds, methods: [] };
    together.set(key, same);
    same.methods.push(method);
  }
  return [...together.values()];
}

/** The row of a method and label, if it has one. */
export function crossValidatedRow(
  { rows }: CrossValidation,
  { kind, method, label }: Pick<SummaryRow, 'kind' | 'method' | 'label'>,
): CrossValidated | undefined {
  return rows.find((row) => row.kind === kind && row.method === method && row.label === label);
}

/** The columns that a row of the summary has besides if the splits are folds; empty if nothing is complete. */
export function crossValidatedColumns(
  crossValidation: CrossValidation | undefined,
  row: Pick<SummaryRow, 'kind' | 'method' | 'label'>,
): Row {
  if (crossValidation === undefined) return {};
  const found = crossValidatedRow(crossValidation, row);
  return {
    cv_dice_median: found?.dice_median,
    cv_dice_mad: found?.dice_mad,
    cv_seeds: found?.seeds.length,
    cv_cases: found?.cases,
  };
}

/** The results of every method by seed and fold: the rows of a summary of one seed's runs. */
function entriesOf(folds: readonly Pick<SplitRuns, 'split' | 'runs'>[]): Entry[] {
  const entries = new Map<string, Entry>();
  for (const { split, runs } of folds)
    for (const [seed, ofSeed] of bySeed(runs))
      for (const row of summarise(ofSeed)) {
        const key = JSON.stringify([row.kind, row.method, row.label]);
        const entry = entries.get(key) ?? { row, results: new Map<number, Map<string, SummaryRow>>() };
        entries.set(key, entry);
        entry.results.set(seed, (entry.results.get(seed) ?? new Map<string, SummaryRow>()).set(split, row));
      }
  return [...entries.values()];
}

function bySeed(runs: readonly FoundRun[]): Map<number, FoundRun[]> {
  const seeds = new Map<number, FoundRun[]>();
  for (const run of runs) seeds.set(run.record.seed, [...(seeds.get(run.record.seed) ?? []), run]);
  return seeds;
}

/** Why the test cases of folds cannot be pooled; undefined if they can. */
function whyNotPooled(runs: readonly FoundRun[], cases: ReadonlyMap<string, Cases>): string | undefined {
  const [twice] = repeatedCases(Object.fromEntries([...cases].map(([name, { test }]) => [name, test])));
  if (twice) return `${twice.id} is a test case of ${twice.first} and of ${twice.list}`;
  const [first] = runs;
  const other = runs.find(({ record }) => record.foldsHash !== first?.record.foldsHash);
  return (
    other &&
    `${first?.folder} and ${other.folder} were run with other voxels or cases, so the data has changed in between`
  );
}

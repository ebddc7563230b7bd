// The files that a step of a pruning run writes. Their input does not change while the run continues.

import { join } from 'node:path';
import { type Layer } from '../network/architecture.js';
import { commitFile } from '../runs/commit.js';
import { csvText } from '../runs/csv.js';
import {
  DROPOUT_COLUMNS,
  type DropoutRow,
  SCORE_COLUMNS,
  type ScoreRow,
  type StepRow,
  stepColumns,
} from '../runs/records.js';
import { type PruningStep, type RunRecord } from '../runs/run.js';
import { sha256 } from '../sha256.js';
import { type Besides, casesText, writeBest } from '../training/outputs.js';
import { FILES, snapshotCasesFile, snapshotFile } from '../runs/folders.js';

/** The content of the files of a step. */
export interface StepFiles {
  readonly step: PruningStep;
  readonly layers: readonly Layer[];
  /** Test cases; `dice` has the Dice of every label for each of them. */
  readonly testCases: readonly string[];
  readonly cases: readonly (readonly number[])[];
  /** What else is measured of them; of cases-PERCENT.csv alone. */
  readonly besides: Besides;
  /** Model files of the snapshots that this step reaches first, by percent of channels. */
  readonly snapshots: Readonly<Record<string, Uint8Array>>;
  /** Whether its test Dice is the largest so far. */
  readonly best: boolean;
  readonly validated: boolean;
  /** All rows of steps.csv and dropout.csv so far, and of scores.csv if the step adds to it. */
  readonly rows: readonly StepRow[];
  readonly dropoutRows: readonly DropoutRow[];
  readonly scoreRows?: readonly ScoreRow[] | undefined;
}

/** The files of a step that no later step overwrites, by name: their digests must be known before they are on disk. */
export function lastingFiles(
  labels: readonly string[],
  files: StepFiles,
): Record<string, string | Uint8Array> {
  const { testCases, cases, besides } = files;
  return {
    ...Object.fromEntries(
      Object.entries(files.snapshots).flatMap(([percent, model]): [string, string | Uint8Array][] => [
        [snapshotFile(percent), model],
        [snapshotCasesFile(percent), casesText(labels, testCases, cases, besides)],
      ]),
    ),
    ...(files.best && { [FILES.bestCases]: casesText(labels, testCases, cases) }),
    ...(files.scoreRows && { [FILES.scores]: csvText(SCORE_COLUMNS, files.scoreRows) }),
  };
}

/** The CSV files that grow with every step, by name. */
export function growingFiles(
  labels: readonly string[],
  { validated, layers, rows, dropoutRows }: Pick<StepFiles, 'validated' | 'layers' | 'rows' | 'dropoutRows'>,
): Record<string, string> {
  return {
    [FILES.dropout]: csvText(DROPOUT_COLUMNS, dropoutRows),
    [FILES.steps]: csvText(stepColumns(labels, validated, layers), rows),
  };
}

/** SHA-256 of each file, by name. */
export function digestsOf(files: Readonly<Record<string, string | Uint8Array>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, content]) => [name, sha256(content)]));
}

/** Writes the files of a step, including `lasting`. Throws a UserError of kind `disk`. */
export function writeStep(
  folder: string,
  run: RunRecord,
  files: StepFiles,
  lasting: Readonly<Record<string, string | Uint8Array>>,
): void {
  if (files.best) writeBest(folder, files.step);
  for (const [name, content] of Object.entries({ ...lasting, ...growingFiles(run.labels, files) }))
    commitFile(join(folder, name), content);
}

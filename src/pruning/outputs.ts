// The files of a pruning run that a step writes, from what stays as it is while the run goes on.

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
import { casesText, writeBest } from '../training/outputs.js';
import { FILES, snapshotCasesFile, snapshotFile } from '../runs/folders.js';

/** What a step leaves on disk. */
export interface StepFiles {
  readonly step: PruningStep;
  readonly layers: readonly Layer[];
  /** Test cases and, for each, the Dice of every label. */
  readonly testCases: readonly string[];
  readonly cases: readonly (readonly number[])[];
  /** Model files of the snapshots, by percent of channels, that the step is the first to reach. */
  readonly snapshots: Readonly<Record<string, Uint8Array>>;
  /** Whether its test Dice is the largest so far. */
  readonly best: boolean;
  readonly validated: boolean;
  /** All rows of steps.csv and dropout.csv so far, and of scores.csv where the step adds to it. */
  readonly rows: readonly StepRow[];
  readonly dropoutRows: readonly DropoutRow[];
  readonly scoreRows?: readonly ScoreRow[] | undefined;
}

/** The files of a step that no later step writes again, by name: they must be known before they are on disk. */
export function lastingFiles(
  labels: readonly string[],
  files: StepFiles,
): Record<string, string | Uint8Array> {
  const cases = casesText(labels, files.testCases, files.cases);
  return {
    ...Object.fromEntries(
      Object.entries(files.snapshots).flatMap(([percent, model]): [string, string | Uint8Array][] => [
        [snapshotFile(percent), model],
        [snapshotCasesFile(percent), cases],
      ]),
    ),
    ...(files.best && { [FILES.bestCases]: cases }),
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

/** SHA-256 of files' content by name. */
export function digestsOf(files: Readonly<Record<string, string | Uint8Array>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, content]) => [name, sha256(content)]));
}

/** Writes what a step of a run leaves, `lasting` among it. Throws a UserError of kind `disk`. */
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

// The files of a pruning run that a step writes, from what stays as it is while the run goes on.

import { join } from 'node:path';
import { type Layer } from '../network/architecture.js';
import { type Weights } from '../network/weights.js';
import { type Row, writeCsv } from '../runs/csv.js';
import { SCORE_COLUMNS, stepColumns } from '../runs/records.js';
import { type PruningStep } from '../runs/run.js';
import { writeBest, writeCases, writeTensors } from '../training/outputs.js';

/** What a step leaves on disk. */
export interface StepFiles {
  readonly step: PruningStep;
  readonly weights: Weights;
  readonly layers: readonly Layer[];
  /** Test cases and, for each, the Dice of every label. */
  readonly testCases: readonly string[];
  readonly cases: readonly (readonly number[])[];
  /** Snapshots, in percent of channels, that the step is the first to reach. */
  readonly reached: readonly string[];
  /** Whether its test Dice is the largest so far. */
  readonly best: boolean;
  readonly validated: boolean;
  /** All rows of steps.csv so far, and of scores.csv where the step adds to it. */
  readonly rows: readonly Row[];
  readonly scoreRows?: readonly Row[] | undefined;
}

/** Writes them; `labels` are the network's outputs. Throws a UserError of kind `disk`. */
export function writeStep(folder: string, labels: readonly string[], files: StepFiles): void {
  const { step, weights, testCases, cases } = files;
  for (const name of files.reached) {
    const path = join(folder, `snapshot-${name}.safetensors`);
    writeTensors(path, weights, step.architecture, labels, { step: String(step.step) });
    writeCases(folder, labels, testCases, cases, `cases-${name}.csv`);
  }
  if (files.best) {
    writeBest(folder, step);
    writeCases(folder, labels, testCases, cases, 'cases-best.csv');
  }
  if (files.scoreRows) writeCsv(join(folder, 'scores.csv'), SCORE_COLUMNS, files.scoreRows);
  writeCsv(join(folder, 'steps.csv'), stepColumns(labels, files.validated, files.layers), files.rows);
}

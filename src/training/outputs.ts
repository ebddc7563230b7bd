// The files that training and pruning runs write.

import { join } from 'node:path';
import { type Dataset } from '../data/dataset.js';
import { type Network } from '../engine/engine.js';
import { type Measures } from '../evaluation/measure.js';
import { MODEL_KEY, type TrainingRanges } from '../model/model.js';
import { type Architecture } from '../network/architecture.js';
import { type Weights, initialOptimizerState } from '../network/weights.js';
import { encodeCheckpoint, writeCheckpoint } from '../runs/checkpoint.js';
import { commitFile, failpoint } from '../runs/commit.js';
import { type Row, csvText, distanceCell } from '../runs/csv.js';
import { describeModel } from '../runs/describe-model.js';
import { runKey } from '../runs/identity.js';
import { caseColumns, diceColumns } from '../runs/records.js';
import { type PruningStep, type RunRecord, type TestMetrics, writeRun } from '../runs/run.js';
import { encodeSafetensors } from '../runs/safetensors.js';
import { type Backlog } from './backlog.js';
import { type Measured, summariseMeasured } from './measured.js';
import { meanDice } from './metrics.js';
import { FILES } from '../runs/folders.js';

/** Cells of `diceColumns`: the mean, then each label. */
export function diceCells(
  part: 'test' | 'validation',
  labels: readonly string[],
  dice: readonly number[] | undefined,
): Row {
  return Object.fromEntries(diceColumns(part, labels).map((column, i) => [column, dice?.[i]]));
}

/** What is measured of the test cases besides Dice, at the end of runs and at snapshots. */
export interface Besides {
  /** Dice of each case and label on the grids of the files. */
  readonly original?: readonly (readonly number[])[] | undefined;
  readonly measured?: Measured | undefined;
}

/** What a record keeps of it. */
export function besidesOf({ original, measured }: Besides): {
  readonly testDiceOriginal?: readonly number[];
  readonly testMetrics?: TestMetrics;
} {
  return {
    ...(original && { testDiceOriginal: meanDice(original) }),
    ...(measured && { testMetrics: summariseMeasured(measured) }),
  };
}

/**
 * The text of cases.csv: Dice, Dice on stored grids and further measures of each case, mean over labels, then by label. A mean is over the labels
 * that have a value, and infinite if one of them is.
 */
export function casesText(
  labels: readonly string[],
  ids: readonly string[],
  dice: readonly (readonly number[])[],
  { original, measured }: Besides = {},
): string {
  const columns = caseColumns(labels, { original: original !== undefined, metrics: measured?.metrics ?? [] });
  const withMean = (byLabel: readonly number[]): number[] => {
    const known = byLabel.filter((value) => !Number.isNaN(value));
    return [known.reduce((sum, value) => sum + value, 0) / known.length, ...byLabel];
  };
  const rows = ids.map((id, i) => {
    const further = measured?.metrics.flatMap((metric) =>
      withMean((measured.cases[i] as readonly Measures[]).map((measures) => measures[metric])),
    );
    const cells = [
      id,
      ...withMean(dice[i] as readonly number[]),
      ...(original ? withMean(original[i] as readonly number[]) : []),
      ...(further ?? []).map(distanceCell),
    ];
    return Object.fromEntries(columns.map((column, c) => [column, cells[c]]));
  });
  return csvText(columns, rows);
}

/** A network that a run produced; for a snapshot, also the number of removals before it. */
export interface Trained {
  readonly architecture: Architecture;
  readonly weights: Weights;
  readonly snapshot?: { readonly percent: string; readonly step: number };
}

/** The bytes of a model file: the network with everything needed to segment a scan, and the key of the run. */
export function encodeModel(
  { channels, ranges }: Pick<Dataset, 'channels' | 'ranges'>,
  run: RunRecord,
  { architecture, weights, snapshot }: Trained,
): Uint8Array {
  const description = describeModel(run, architecture, {
    channels,
    training: ranges.get(run.split) as TrainingRanges,
    snapshot: snapshot?.percent,
  });
  const metadata = {
    [MODEL_KEY]: JSON.stringify(description),
    run: runKey(run),
    ...(snapshot && { step: String(snapshot.step) }),
  };
  return encodeSafetensors({ tensors: weights, metadata });
}

/** Writes the first weights of a run, with architecture, labels and the key of the run in the metadata. */
function writeInitial(folder: string, weights: Weights, run: RunRecord): void {
  const metadata = {
    architecture: JSON.stringify(run.architecture),
    labels: JSON.stringify(run.labels),
    run: runKey(run),
  };
  commitFile(join(folder, FILES.initial), encodeSafetensors({ tensors: weights, metadata }));
}

/** Writes best.json: the step with the largest test Dice so far, an upper bound because it is selected on the test cases. */
export function writeBest(folder: string, step: PruningStep): void {
  commitFile(join(folder, FILES.best), `${JSON.stringify({ upper_bound: true, ...step }, null, 2)}\n`);
}

/** Encodes a checkpoint of the current state and queues it for writing. */
export async function saveLater(
  backlog: Backlog,
  folder: string,
  run: RunRecord,
  network: Network,
  progress: unknown,
): Promise<void> {
  const bytes = encodeCheckpoint({
    run: runKey(run),
    weights: await network.readWeights(),
    optimizer: await network.readOptimizerState(),
    progress,
  });
  backlog.push(() => {
    writeCheckpoint(folder, bytes);
    failpoint('checkpoint');
  });
}

/**
 * Writes the first files of a run: its initial weights, a checkpoint of them, and last its record. So a run that has a
 * record also has a checkpoint.
 */
export function beginRun(folder: string, record: RunRecord, weights: Weights, progress: unknown): void {
  const { architecture } = record;
  writeInitial(folder, weights, record);
  writeCheckpoint(
    folder,
    encodeCheckpoint({
      run: runKey(record),
      weights,
      optimizer: initialOptimizerState(architecture),
      progress,
    }),
  );
  failpoint('created');
  writeRun(folder, record);
}

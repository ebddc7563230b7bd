// How far a pruning run is, and what follows from it: the snapshots that it reaches, whether it has collapsed.

import { type Experiment } from '../config/schema.js';
import { type Architecture, listLayers } from '../network/architecture.js';
import { type Removal, prunableChannels } from '../network/surgery.js';
import { type DropoutRow, type ScoreRow, type StepRow } from '../runs/records.js';
import { type PruningStep } from '../runs/run.js';
import { type EpochProgress } from '../training/epoch.js';
import { type RunProgress } from '../training/life.js';
import { initialRates } from './dropout.js';

/** The content of a checkpoint besides weights and optimizer state. */
export interface Progress extends EpochProgress, RunProgress {
  architecture: Architecture;
  /** Recovery epochs done in this step. */
  recovered: number;
  epochs: number;
  /** Mean training loss of the last epoch of the step. */
  loss: number;
  removals: Removal[];
  /** Dropout rate of each layer. */
  rates: number[];
  /** Consecutive steps below the collapse floor. */
  below: number;
  /** Rows of steps.csv, scores.csv and dropout.csv. */
  rows: StepRow[];
  scoreRows: ScoreRow[];
  dropoutRows: DropoutRow[];
  best?: PruningStep;
  chosen?: PruningStep;
  snapshots: Record<string, PruningStep>;
}

/** The progress of a new run. */
export function firstProgress(architecture: Architecture, initialRate: number): Progress {
  return {
    architecture,
    recovered: 0,
    epochs: 0,
    loss: 0,
    seconds: 0,
    partSeconds: 0,
    removals: [],
    rates: initialRates(listLayers(architecture), initialRate),
    below: 0,
    rows: [],
    scoreRows: [],
    dropoutRows: [],
    snapshots: {},
    files: {},
    batches: 0,
    lossSum: 0,
  };
}

/** The percentages whose snapshot is the current network. */
export function newSnapshots({ pruning }: Experiment, first: Architecture, at: Progress): string[] {
  const [channels, total] = [prunableChannels(at.architecture), prunableChannels(first)];
  return pruning.snapshots
    .filter((percent) => channels <= (total * percent) / 100)
    .map(String)
    .filter((name) => at.snapshots[name] === undefined);
}

/** Consecutive steps below the collapse floor, with the current one. */
export function stepsBelow({ pruning }: Experiment, { below }: Progress, testDice: number): number {
  return testDice < pruning.collapse.floor ? below + 1 : 0;
}

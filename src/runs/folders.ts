// The folders of runs on disk, OUTPUT/EXPERIMENT/[split-NAME/]KIND/.../seed-K, and the names of their files.

import { join } from 'node:path';
import { type Experiment } from '../config/schema.js';
import { hasNamedSplits, namedSplits } from '../config/splits.js';

/** The folder of the results of an experiment. */
export function experimentFolder({ output, experiment }: Experiment): string {
  return join(output, experiment);
}

/** The folder of the results of one split: the folder of the experiment if its only split needs no name. */
export function splitFolder(config: Experiment, split: string): string {
  const folder = experimentFolder(config);
  return hasNamedSplits(config) ? join(folder, `split-${split}`) : folder;
}

/** The names of the splits of a config. */
export function splitNames(config: Experiment): string[] {
  return [...namedSplits(config).keys()];
}

/** The folder for one kind of run of a method; it has one folder per seed. */
function methodFolder(base: string, kind: RunKind, method: string): string {
  return join(base, kind, ...method.split('/'));
}

/** The folder of one run. */
export function runFolder(base: string, kind: RunKind, method: string, seed: number): string {
  return join(methodFolder(base, kind, method), `seed-${seed}`);
}

/** The kind of a run. */
export type RunKind = 'train' | 'prune' | 'retrain';

/** The files in the folder of a run. */
export const FILES = {
  record: 'run.json',
  /** One row per epoch; only in training runs. */
  epochs: 'epochs.csv',
  /** One row per removed channel; this file and the next four are only in pruning runs. */
  steps: 'steps.csv',
  dropout: 'dropout.csv',
  scores: 'scores.csv',
  best: 'best.json',
  bestCases: 'cases-best.csv',
  /** Dice of each test case at the end. */
  cases: 'cases.csv',
  /** The weights that the run starts with. */
  initial: 'initial.safetensors',
  /** The network of the epoch with the largest validation Dice; only in training runs with validation cases. */
  bestModel: 'best.safetensors',
  /** The network that the run ends with. */
  model: 'model.safetensors',
  /** The file of earlier versions: a network without a description. */
  earlierModel: 'weights.safetensors',
  checkpoint: 'checkpoint.safetensors',
  previousCheckpoint: 'checkpoint-previous.safetensors',
  damagedCheckpoint: 'checkpoint-damaged.safetensors',
} as const;

/** The file with the network of a pruning run at a percentage of its channels. */
export const snapshotFile = (percent: number | string): string => `snapshot-${percent}.safetensors`;

/** The file with the Dice of each test case at a snapshot. */
export type SnapshotCasesFile = `cases-${string}.csv`;
export const snapshotCasesFile = (percent: number | string): SnapshotCasesFile => `cases-${percent}.csv`;

/** The table of all methods, in the folder of a split and in that of the report. */
export const SUMMARY_FILE = 'summary.csv';

/** The folder of the report, below that of the experiment, and its files except figures and summary. */
export const REPORT = {
  folder: 'report',
  page: 'index.html',
  segment: 'segment.html',
  steps: 'steps.csv',
  comparisons: 'comparisons.csv',
} as const;

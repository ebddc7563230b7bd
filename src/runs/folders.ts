// Where runs are on disk: OUTPUT/EXPERIMENT/[split-NAME/]KIND/.../seed-K, and what their files are called.

import { join } from 'node:path';
import { type Experiment } from '../config/schema.js';

/** The folder of the results of an experiment. */
export function experimentFolder({ output, experiment }: Experiment): string {
  return join(output, experiment);
}

/** The folder of the results of one split: the folder of the experiment if there is only one, unnamed split. */
export function splitFolder(config: Experiment, split: string): string {
  const folder = experimentFolder(config);
  return config.dataset.splits === undefined ? folder : join(folder, `split-${split}`);
}

/** The names of the splits of a config. */
export function splitNames({ dataset }: Experiment): string[] {
  return dataset.splits === undefined ? ['default'] : Object.keys(dataset.splits);
}

/** The folder for one kind of run of a method; it has one folder per seed. */
function methodFolder(base: string, kind: RunKind, method: string): string {
  return join(base, kind, ...method.split('/'));
}

/** The folder of one run. */
export function runFolder(base: string, kind: RunKind, method: string, seed: number): string {
  return join(methodFolder(base, kind, method), `seed-${seed}`);
}

/** What a run does. */
export type RunKind = 'train' | 'prune' | 'retrain';

/** The files of a run's folder. */
export const FILES = {
  record: 'run.json',
  /** One row an epoch; of training runs. */
  epochs: 'epochs.csv',
  /** One row a removed channel; of pruning runs, as the next four. */
  steps: 'steps.csv',
  dropout: 'dropout.csv',
  scores: 'scores.csv',
  best: 'best.json',
  bestCases: 'cases-best.csv',
  /** Dice of each test case at the end. */
  cases: 'cases.csv',
  /** The weights that the run starts with. */
  initial: 'initial.safetensors',
  /** The network that the run ends with. */
  model: 'model.safetensors',
  /** The file of earlier versions: a network without a description. */
  earlierModel: 'weights.safetensors',
  checkpoint: 'checkpoint.safetensors',
  previousCheckpoint: 'checkpoint-previous.safetensors',
  damagedCheckpoint: 'checkpoint-damaged.safetensors',
} as const;

/** The file with a pruning run's network at a percentage of its channels. */
export const snapshotFile = (percent: number | string): string => `snapshot-${percent}.safetensors`;

/** The file with Dice of each test case there. */
export type SnapshotCasesFile = `cases-${string}.csv`;
export const snapshotCasesFile = (percent: number | string): SnapshotCasesFile => `cases-${percent}.csv`;

/** The table of all methods, in a split's folder and in the report's. */
export const SUMMARY_FILE = 'summary.csv';

/** Where the report is, below an experiment's folder, and its files besides figures and summary. */
export const REPORT = {
  folder: 'report',
  page: 'index.html',
  steps: 'steps.csv',
  comparisons: 'comparisons.csv',
} as const;

// Where runs are on disk: OUTPUT/EXPERIMENT/[split-NAME/]KIND/.../seed-K.

import { join } from 'node:path';
import { type Experiment } from '../config/schema.js';

/** The folder of an experiment's results. */
export function experimentFolder({ output, experiment }: Experiment): string {
  return join(output, experiment);
}

/** The folder of one split's results: the experiment's own where there is only one, unnamed split. */
export function splitFolder(config: Experiment, split: string): string {
  const folder = experimentFolder(config);
  return config.dataset.splits === undefined ? folder : join(folder, `split-${split}`);
}

/** Names of the config's splits. */
export function splitNames({ dataset }: Experiment): string[] {
  return dataset.splits === undefined ? ['default'] : Object.keys(dataset.splits);
}

/** Where a kind of run of a method is: its seeds are the folders below. */
function methodFolder(base: string, kind: RunKind, method: string): string {
  return join(base, kind, ...method.split('/'));
}

/** The folder of one run. */
export function runFolder(base: string, kind: RunKind, method: string, seed: number): string {
  return join(methodFolder(base, kind, method), `seed-${seed}`);
}

/** What a run does. */
export type RunKind = 'train' | 'prune' | 'retrain';

// Finds the runs on disk that are results of an experiment as configured now, and why the others are not. All code that
// pools or compares runs uses this list, so that results never mix settings, data or cases.

import { findModel } from '../config/models.js';
import { type Experiment } from '../config/schema.js';
import { UserError } from '../errors.js';
import { pruningDifference } from '../pruning/pruning-runs.js';
import { retrainingDifference } from '../pruning/retraining-runs.js';
import { type FoundRun, type LeftOut, findRuns } from '../runs/find.js';
import { type RunKind, splitFolder, splitNames } from '../runs/folders.js';
import { describeDifference } from '../runs/identity.js';
import { type RunRecord } from '../runs/run.js';
import { trainingRunIdentity } from '../training/training-runs.js';

/** The runs of one split. */
export interface SplitRuns {
  readonly split: string;
  readonly base: string;
  /** Runs with the current settings, data and cases. Runs of one kind and method differ only in the seed. */
  readonly runs: readonly FoundRun[];
  readonly leftOut: readonly LeftOut[];
}

const KINDS: readonly RunKind[] = ['train', 'prune', 'retrain'];

/** The runs of an experiment, split by split. */
export function collectRuns(config: Experiment): SplitRuns[] {
  return splitNames(config).map((split) => {
    const base = splitFolder(config, split);
    const found = KINDS.map((kind) => findRuns(base, kind));
    const leftOut = found.flatMap((each) => each.leftOut);
    const current = found
      .flatMap(({ runs }) => runs)
      .filter(({ folder, record }) => {
        const reason = whyNot(config, split, record);
        if (reason !== undefined) leftOut.push({ path: folder, reason });
        return reason === undefined;
      });
    return { split, base, ...ofOneGround(current, leftOut) };
  });
}

/** Why a run is not a result of the experiment as configured now; undefined if it is one. */
function whyNot(config: Experiment, split: string, record: RunRecord): string | undefined {
  if (record.split !== split) return `is a copy: it contains a run of split ${record.split}`;
  const { seeds } = config.training;
  if (!seeds.includes(record.seed))
    return `seed ${record.seed} is not one of training.seeds (${seeds.join(', ')})`;
  const difference = differenceTo(config, record);
  return difference && `was made with ${difference}`;
}

/** How a run differs from what the config describes now; undefined if it does not. */
export function differenceTo(config: Experiment, record: RunRecord): string | undefined {
  try {
    switch (record.kind) {
      case 'train': {
        const model = findModel(config, record.method);
        if (model === undefined) return 'a model that the config does not have';
        return describeDifference(record.identity, trainingRunIdentity(config, record.split, model));
      }
      case 'prune':
        return pruningDifference(config, record);
      case 'retrain':
        return retrainingDifference(config, record);
    }
  } catch (error) {
    // The source of the run is damaged, unfinished, or has other settings.
    if (error instanceof UserError) return `a source that cannot be used any more (${error.message})`;
    throw error;
  }
}

/** Runs with the same voxels and cases as the latest run: volumes may have been edited, added or removed since. */
function ofOneGround(
  runs: readonly FoundRun[],
  leftOut: readonly LeftOut[],
): { runs: readonly FoundRun[]; leftOut: readonly LeftOut[] } {
  const finished = runs.filter(({ record }) => record.status === 'finished');
  const latest = (finished.length > 0 ? finished : runs).reduce<FoundRun | undefined>(
    (last, run) => (last === undefined || run.record.begun > last.record.begun ? run : last),
    undefined,
  );
  const same = runs.filter(({ record }) => record.datasetHash === latest?.record.datasetHash);
  const others = runs.filter((run) => !same.includes(run));
  return {
    runs: same,
    leftOut: [
      ...leftOut,
      ...others.map(({ folder }) => ({
        path: folder,
        reason: `was made with other voxels or cases than the latest run, ${latest?.folder}: the data has changed since`,
      })),
    ],
  };
}

/** The runs that were left out, one line each. */
export function describeLeftOut(splits: readonly Pick<SplitRuns, 'leftOut'>[]): string[] {
  return splits.flatMap(({ leftOut }) => leftOut.map(({ path, reason }) => `${path}: ${reason}`));
}

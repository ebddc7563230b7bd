// Which runs on disk are results of an experiment as it is configured now, and why the others are not. Everything that
// pools or compares runs takes them from here, so that no number rests on other settings, other data or other cases.

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
  /** Runs of equal settings, data and cases; of one kind and method they differ in the seed alone. */
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

/** Why a run is no result of the experiment as it is configured now, in words; undefined if it is one. */
function whyNot(config: Experiment, split: string, record: RunRecord): string | undefined {
  if (record.split !== split) return `is a copy: it holds a run of split ${record.split}`;
  const { seeds } = config.training;
  if (!seeds.includes(record.seed))
    return `seed ${record.seed} is none of training.seeds (${seeds.join(', ')})`;
  const difference = differenceTo(config, record);
  return difference && `was made with ${difference}`;
}

/** In what a run differs from how the config would do it now. */
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
    // What it was made from is damaged, unfinished, or of other settings itself.
    if (error instanceof UserError) return `something that does not count any more (${error.message})`;
    throw error;
  }
}

/** Runs on the voxels and cases of the latest one: volumes may have been edited, added or taken away in between. */
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
        reason: `was made with other voxels or cases than the latest run, ${latest?.folder}: the data has changed in between`,
      })),
    ],
  };
}

/** What was left out, a line each. */
export function describeLeftOut(splits: readonly Pick<SplitRuns, 'leftOut'>[]): string[] {
  return splits.flatMap(({ leftOut }) => leftOut.map(({ path, reason }) => `${path}: ${reason}`));
}

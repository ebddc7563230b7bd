// Which runs `lunet retrain` stands for: the architectures of pruning runs at their snapshots, or at any number of
// channels, trained as networks of their own.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Experiment, type Init } from '../config/schema.js';
import { choose } from '../config/suggest.js';
import { UserError } from '../errors.js';
import { type Architecture } from '../network/architecture.js';
import { type Removal, prunableChannels, removeChannel } from '../network/surgery.js';
import { type Weights, initialWeights } from '../network/weights.js';
import { stream } from '../random.js';
import { type Dataset } from '../data/dataset.js';
import { type Split } from '../data/split.js';
import { readCheckpoint } from '../runs/checkpoint.js';
import { runFolder, splitFolder, splitNames } from '../runs/folders.js';
import { type Identity, type RunRecord } from '../runs/run.js';
import { readSafetensors } from '../runs/safetensors.js';
import { type FoundRun, findRuns } from '../runs/summary.js';
import { dataIdentity, trainingIdentity } from '../training/plan.js';
import { type TrainingRun } from '../training/run.js';

/** A point of a pruning run: a share of its channels, or a number of them. */
export type SnapshotPoint = { readonly percent: number } | { readonly channels: number };

/** What results are filed under: METHOD/50%-random, METHOD/60-channels-rewind. */
export function retrainingMethod(pruning: string, point: SnapshotPoint, init: Init): string {
  return `${pruning}/${'percent' in point ? `${point.percent}%` : `${point.channels}-channels`}-${init}`;
}

/** What to restrict retraining to; undefined leaves it to the config and to what has been pruned. */
export interface RetrainSelection {
  readonly points?: readonly SnapshotPoint[] | undefined;
  readonly inits?: readonly Init[] | undefined;
  readonly strategies?: readonly string[] | undefined;
  readonly seeds?: readonly number[] | undefined;
  readonly splits?: readonly string[] | undefined;
}

/** A retraining run before any data is read. */
export interface PlannedRetraining {
  readonly folder: string;
  readonly split: string;
  readonly method: string;
  readonly seed: number;
  readonly init: Init;
  readonly architecture: Architecture;
  readonly identity: Identity;
  readonly start: () => Weights;
  readonly provenance: unknown;
}

/**
 * The retraining runs of an experiment. Throws a UserError of kind `failed` if there is no pruning run, or one has not
 * reached the point asked for; of kind `usage` if weights are to be inherited where none were kept.
 */
export function planRetraining(config: Experiment, selection: RetrainSelection): PlannedRetraining[] {
  const points =
    selection.points ?? config.retraining.snapshots.map((percent): SnapshotPoint => ({ percent }));
  return choose('--split', selection.splits, splitNames(config)).flatMap((split) =>
    sources(config, split, selection).flatMap((source) =>
      points.flatMap((point) =>
        (selection.inits ?? config.retraining.init).map((init) =>
          planOne(config, split, source, point, init),
        ),
      ),
    ),
  );
}

/** The pruning runs to take architectures from. */
function sources(config: Experiment, split: string, selection: RetrainSelection): FoundRun[] {
  const base = splitFolder(config, split);
  const damaged: UserError[] = [];
  const runs = findRuns(base, 'prune', (error) => damaged.push(error));
  const advice = `run: lunet prune --strategy ${selection.strategies?.[0] ?? 'widest'}`;
  if (runs.length === 0)
    throw (
      damaged[0] ??
      new UserError('failed', `${join(base, 'prune')}: there is no pruning run to retrain from; ${advice}`)
    );
  const methods = [...new Set(runs.map(({ record }) => record.method))];
  const chosen = choose('--strategy', selection.strategies, methods);
  return chosen.flatMap((method) => {
    const found = runs.filter(({ record }) => record.method === method);
    for (const seed of selection.seeds ?? [])
      if (!found.some(({ record }) => record.seed === seed))
        throw (
          damaged[0] ??
          new UserError(
            'failed',
            `${join(base, 'prune', method)}: there is no pruning run of seed ${seed}; ${advice} --seeds ${seed}`,
          )
        );
    return found.filter(({ record }) => selection.seeds?.includes(record.seed) ?? true);
  });
}

/** What was removed up to a point, and the weights there if they were kept. */
interface Snapshot {
  readonly removals: readonly Removal[];
  readonly weights?: () => Weights;
}

function planOne(
  config: Experiment,
  split: string,
  { folder, record }: FoundRun,
  point: SnapshotPoint,
  init: Init,
): PlannedRetraining {
  const snapshot = findSnapshot(folder, record, point);
  if (init === 'inherit' && snapshot.weights === undefined)
    throw new UserError(
      'usage',
      `${folder}: the weights at ${'percent' in point ? `${point.percent}%` : `${point.channels} channels`} were not kept; ` +
        'use --init random or rewind, or a snapshot',
    );
  const method = retrainingMethod(record.method, point, init);
  const { seed } = record;
  const initial = readSafetensors(join(folder, 'initial.safetensors')).tensors;
  let pruned = { architecture: record.architecture, weights: initial };
  for (const removal of snapshot.removals)
    pruned = removeChannel(pruned.architecture, pruned.weights, removal);
  const { architecture, weights: rewound } = pruned;
  const start: Record<Init, () => Weights> = {
    random: () => initialWeights(architecture, stream(seed, 'weights', 'retrain', method)),
    rewind: () => rewound,
    inherit: () => (snapshot.weights as () => Weights)(),
  };
  const epochs = config.retraining.epochs;
  return {
    folder: runFolder(splitFolder(config, split), 'retrain', method, seed),
    split,
    method,
    seed,
    init,
    architecture,
    identity: {
      ...dataIdentity(config, split),
      architecture,
      init,
      pruning: record.identityHash,
      training: { ...trainingIdentity(config), epochs },
    },
    start: start[init],
    provenance: {
      pruning: folder,
      point,
      init,
      step: snapshot.removals.length,
      channels: prunableChannels(architecture),
    },
  };
}

function findSnapshot(folder: string, record: RunRecord, point: SnapshotPoint): Snapshot {
  const removals =
    record.pruning?.removals ??
    readCheckpoint<{ removals: Removal[] }>(folder, () => undefined)?.progress.removals ??
    [];
  const total = prunableChannels(record.architecture);
  if ('percent' in point) {
    const path = join(folder, `snapshot-${point.percent}.safetensors`);
    if (existsSync(path)) {
      const { tensors, metadata } = readSafetensors(path);
      return { removals: removals.slice(0, Number(metadata['step'])), weights: () => tensors };
    }
    const kept = (record.config as Experiment).pruning.snapshots;
    const reached = Math.round((100 * (total - removals.length)) / total);
    throw new UserError(
      'failed',
      `${folder}: has no snapshot at ${point.percent} %` +
        (!kept.includes(point.percent)
          ? `; there are ${kept.join(', ')} %, or give a number of channels`
          : record.status === 'finished'
            ? `: the run ended at ${reached} %`
            : `: the run has come to ${reached} % so far; go on with it: lunet prune`),
    );
  }
  const needed = total - point.channels;
  const least = total - removals.length;
  if (needed < 0 || needed > removals.length)
    throw new UserError(
      'failed',
      `${folder}: has no network with ${point.channels} prunable channels, expected ${least} to ${total}`,
    );
  return { removals: removals.slice(0, needed) };
}

/** A planned run with the data set's cases filled in. */
export function retrainingRun(config: Experiment, planned: PlannedRetraining, dataset: Dataset): TrainingRun {
  return {
    ...planned,
    kind: 'retrain',
    split: dataset.splits.get(planned.split) as Split,
    epochs: config.retraining.epochs,
  };
}

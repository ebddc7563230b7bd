// Which runs `lunet retrain` stands for: the architectures of pruning runs at their snapshots, or at any number of
// channels, trained as networks of their own.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Experiment, type Init } from '../config/schema.js';
import { choose } from '../config/suggest.js';
import { UserError } from '../errors.js';
import { type Architecture } from '../network/architecture.js';
import {
  type Removal,
  prunableChannels,
  removeChannel,
  removeChannelFromArchitecture,
} from '../network/surgery.js';
import { type Weights, initialWeights } from '../network/weights.js';
import { stream } from '../random.js';
import { type Dataset } from '../data/dataset.js';
import { type Split } from '../data/split.js';
import { peekProgress } from '../runs/checkpoint.js';
import { type FoundRun, findRuns } from '../runs/find.js';
import { runFolder, splitFolder, splitNames } from '../runs/folders.js';
import { type Identity, type Source, describeDifference, runKey, settingsOf } from '../runs/identity.js';
import { type SavedWeights, readWeightsOf } from '../runs/network-file.js';
import { type RunRecord, readRun } from '../runs/run.js';
import { sha256 } from '../runs/sealed.js';
import { dataIdentity, trainingIdentity } from '../training/plan.js';
import { type TrainingRun } from '../training/run.js';
import { pruningDifference, pruningSettings, setupOf } from './plan.js';

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
  readonly provenance: Provenance;
}

/** Where a retrained architecture comes from. */
interface Provenance {
  /** Folder of the pruning run. */
  readonly pruning: string;
  readonly point: SnapshotPoint;
  readonly init: Init;
  readonly step: number;
  readonly channels: number;
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

/** The pruning runs to take architectures from: of the config's seeds, and with its settings. */
function sources(config: Experiment, split: string, selection: RetrainSelection): FoundRun[] {
  const base = splitFolder(config, split);
  const { runs, leftOut } = findRuns(base, 'prune');
  const advice = `run: lunet prune --strategy ${selection.strategies?.[0] ?? 'widest'}`;
  const [damaged] = leftOut.map(({ path, reason }) => new UserError('data', `${path}: ${reason}`));
  if (runs.length === 0)
    throw (
      damaged ??
      new UserError('failed', `${join(base, 'prune')}: there is no pruning run to retrain from; ${advice}`)
    );
  const methods = [...new Set(runs.map(({ record }) => record.method))];
  const chosen = choose('--strategy', selection.strategies, methods);
  const seeds = selection.seeds ?? config.training.seeds;
  return chosen.flatMap((method) => {
    const found = runs.filter(({ record }) => record.method === method);
    const there = found.map(({ record }) => record.seed);
    const wanted = selection.seeds ?? seeds.filter((seed) => there.includes(seed));
    for (const seed of wanted.length > 0 ? wanted : seeds)
      if (!there.includes(seed))
        throw (
          damaged ??
          new UserError(
            'failed',
            `${join(base, 'prune', method)}: there is no pruning run of seed ${seed}; ${advice} --seeds ${seed}`,
          )
        );
    const used = found.filter(({ record }) => wanted.includes(record.seed));
    for (const { folder, record } of used) requireCurrent(config, folder, record);
    return used;
  });
}

/** Throws a UserError of kind `usage` if a pruning run was made otherwise than the config would make it now. */
function requireCurrent(config: Experiment, folder: string, record: RunRecord): void {
  const difference = pruningDifference(config, record);
  if (difference !== undefined)
    throw new UserError(
      'usage',
      `${folder}: was pruned with ${difference}; give the same settings, or prune anew with --overwrite`,
    );
}

/** What was removed up to a point, and the weights there if they were kept. */
interface Snapshot {
  readonly removals: readonly Removal[];
  readonly weights?: SavedWeights;
}

function planOne(
  config: Experiment,
  split: string,
  { folder, record }: FoundRun,
  point: SnapshotPoint,
  init: Init,
): PlannedRetraining {
  const { seed } = record;
  const method = retrainingMethod(record.method, point, init);
  const { architecture, source, removals, start } = startingPoint(folder, record, point, init, method);
  return {
    folder: runFolder(splitFolder(config, split), 'retrain', method, seed),
    split,
    method,
    seed,
    init,
    architecture,
    identity: { ...retrainingSettings(config, split, record.identity, point, init), source },
    start,
    provenance: {
      pruning: folder,
      point,
      init,
      step: removals.length,
      channels: prunableChannels(architecture),
    },
  };
}

/** What determines a retraining besides its seed and the network that it starts from. */
function retrainingSettings(
  config: Experiment,
  split: string,
  { model, training, trained, pruning }: Identity,
  point: SnapshotPoint,
  init: Init,
): Identity {
  return {
    ...dataIdentity(config, split),
    point,
    init,
    pruned: { model, training, ...(trained !== undefined && { trained }), pruning },
    training: { ...trainingIdentity(config), epochs: config.retraining.epochs },
  };
}

/** The network that a retraining starts from, and what tells it from another one that pruning might arrive at. */
function startingPoint(
  folder: string,
  record: RunRecord,
  point: SnapshotPoint,
  init: Init,
  method: string,
): { architecture: Architecture; source: Source; removals: readonly Removal[]; start: () => Weights } {
  const { removals, weights: kept } = findSnapshot(folder, record, point);
  const architecture = removals.reduce(removeChannelFromArchitecture, record.architecture);
  if (init === 'random')
    return {
      architecture,
      removals,
      source: { architecture },
      start: () => initialWeights(architecture, stream(record.seed, 'weights', 'retrain', method)),
    };
  if (init === 'rewind') {
    const initial = readWeightsOf(record, folder, 'initial.safetensors');
    return {
      architecture,
      removals,
      source: { architecture, weights: initial.digest, removals: sha256(JSON.stringify(removals)) },
      start: () =>
        removals.reduce((network, removal) => removeChannel(network.architecture, network.weights, removal), {
          architecture: record.architecture,
          weights: initial.weights(),
        }).weights,
    };
  }
  if (kept === undefined)
    throw new UserError(
      'usage',
      `${folder}: the weights at ${'percent' in point ? `${point.percent}%` : `${point.channels} channels`} were not kept; ` +
        'use --init random or rewind, or a snapshot',
    );
  return { architecture, removals, source: { architecture, weights: kept.digest }, start: kept.weights };
}

/**
 * In what a retraining differs from how the config would do it now, in words; undefined if in nothing: its settings, those
 * of its pruning run, and, while that is still there, the network that it arrived at.
 */
export function retrainingDifference(config: Experiment, record: RunRecord): string | undefined {
  const { identity, method, split, seed } = record;
  const pruning = method.split('/', 1)[0] as string;
  const { point, init } = identity as unknown as Provenance;
  const setup = setupOf(config, pruning, identity['pruned'] as Identity);
  if (setup === undefined) return 'a model that the config does not have';
  const settings = retrainingSettings(config, split, pruningSettings(config, split, setup), point, init);
  const difference = describeDifference(settingsOf(identity), settings);
  if (difference !== undefined) return difference;
  const folder = runFolder(splitFolder(config, split), 'prune', pruning, seed);
  const parent = readRun(folder);
  if (parent === undefined) return undefined;
  const inherited = pruningDifference(config, parent);
  if (inherited !== undefined) return `a pruning run that has ${inherited}`;
  return describeDifference(identity, {
    ...settings,
    source: startingPoint(folder, parent, point, init, method).source,
  });
}

function findSnapshot(folder: string, record: RunRecord, point: SnapshotPoint): Snapshot {
  const removals =
    record.pruning?.removals ?? peekProgress<{ removals: Removal[] }>(folder, runKey(record))?.removals ?? [];
  const total = prunableChannels(record.architecture);
  if ('percent' in point) {
    const name = `snapshot-${point.percent}.safetensors`;
    if (existsSync(join(folder, name))) {
      const weights = readWeightsOf(record, folder, name);
      return { removals: removals.slice(0, Number(weights.metadata['step'])), weights };
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
    splitName: planned.split,
    split: dataset.splits.get(planned.split) as Split,
    epochs: config.retraining.epochs,
  };
}

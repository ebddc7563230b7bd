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
import { type SavedWeights, readWeightsOf, snapshotFile } from '../runs/network-file.js';
import { type RunRecord, readRun } from '../runs/run.js';
import { sha256 } from '../sha256.js';
import { dataIdentity, trainingIdentity } from '../training/plan.js';
import { type TrainingRun } from '../training/run.js';
import { pruningDifference, pruningSettings, setupOf } from './plan.js';
import { STRATEGIES } from './strategies/index.js';

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

/** A retraining that was asked for and cannot be done: its pruning run is not there, or is not so far. */
export interface MissingRun {
  readonly reason: string;
  /** Whether it never will be: the pruning run has ended before. */
  readonly ended: boolean;
}

/**
 * The retraining runs of an experiment that can be done; `missing` is told of the others. Throws a UserError of kind
 * `failed` if none can be done; of kind `usage` for names and points that no pruning run has, and if weights are to be
 * inherited where none were kept.
 */
export function planRetraining(
  config: Experiment,
  selection: RetrainSelection,
  missing: (run: MissingRun) => void = () => undefined,
): PlannedRetraining[] {
  const points =
    selection.points ?? config.retraining.snapshots.map((percent): SnapshotPoint => ({ percent }));
  const absent: MissingRun[] = [];
  const found = choose('--split', selection.splits, splitNames(config)).flatMap((split) =>
    sources(config, split, selection, absent).map((source) => ({ split, source })),
  );
  if (selection.points)
    requireKept(
      selection.points,
      found.map(({ source }) => source.record),
    );
  const planned = found.flatMap(({ split, source }) =>
    points.flatMap((point) => {
      const why = whyMissing(source.folder, source.record, point);
      if (why !== undefined) absent.push(why);
      return why !== undefined
        ? []
        : (selection.inits ?? config.retraining.init).map((init) =>
            planOne(config, split, source, point, init),
          );
    }),
  );
  if (planned.length === 0) throw new UserError('failed', absent.map(({ reason }) => reason).join('\n'));
  absent.forEach(missing);
  return planned;
}

/** Throws a UserError of kind `usage` for a point that none of the pruning runs will ever come to. */
function requireKept(points: readonly SnapshotPoint[], records: readonly RunRecord[]): void {
  if (records.length === 0) return;
  const kept = [...new Set(records.flatMap(({ config }) => (config as Experiment).pruning.snapshots))];
  const most = Math.max(...records.map(({ architecture }) => prunableChannels(architecture)));
  for (const point of points) {
    if ('percent' in point && !kept.includes(point.percent))
      throw new UserError(
        'usage',
        `--from-snapshot: found ${point.percent}%, expected one of ${kept.map((percent) => `${percent}%`).join(', ')}, or a number of channels`,
      );
    if ('channels' in point && (point.channels > most || point.channels < 1))
      throw new UserError(
        'usage',
        `--from-snapshot: found ${point.channels} channels, expected 1 to ${most}`,
      );
  }
}

/** The pruning runs to take architectures from: of the config's seeds, and with its settings. */
function sources(
  config: Experiment,
  split: string,
  selection: RetrainSelection,
  missing: MissingRun[],
): FoundRun[] {
  const base = splitFolder(config, split);
  const { runs, leftOut } = findRuns(base, 'prune');
  const methods = [...new Set(runs.map(({ record }) => record.method))];
  const wanted = selection.strategies?.includes('all') ? undefined : selection.strategies;
  // A name that pruning could give is no slip: its run may come yet.
  const unknown = wanted?.filter((name) => !methods.includes(name) && !mayBeMethod(name)) ?? [];
  choose('--strategy', unknown, methods.length > 0 ? methods : STRATEGIES);
  const [damaged] = leftOut.map(({ path, reason }) => `${path}: ${reason}`);
  const absent = (folder: string, what: string, options: string): void =>
    void missing.push({
      reason: damaged ?? `${folder}: there is no pruning run ${what}; run: lunet prune ${options}`,
      ended: false,
    });
  if (runs.length === 0) {
    absent(join(base, 'prune'), 'to retrain from', `--strategy ${wanted?.[0] ?? 'widest'}`);
    return [];
  }
  const seeds = selection.seeds ?? config.training.seeds;
  return (wanted ?? methods).flatMap((method) => {
    const found = runs.filter(({ record }) => record.method === method);
    const there = found.map(({ record }) => record.seed);
    const chosen = selection.seeds ?? seeds.filter((seed) => there.includes(seed));
    for (const seed of chosen.length > 0 ? chosen : seeds)
      if (!there.includes(seed))
        absent(join(base, 'prune', method), `of seed ${seed}`, `--strategy ${method} --seeds ${seed}`);
    const used = found.filter(({ record }) => chosen.includes(record.seed));
    return used.filter(({ folder, record }) => {
      const difference = pruningDifference(config, record);
      if (difference === undefined) return true;
      const reason = `${folder}: was pruned with ${difference}; give the same settings, or prune anew with --overwrite`;
      if (wanted !== undefined || methods.length === 1) throw new UserError('usage', reason);
      missing.push({ reason, ended: true });
      return false;
    });
  });
}

/** Whether a name is one that pruning runs are filed under: STRATEGY[-CRITERION][@MODEL][-trained]. */
function mayBeMethod(name: string): boolean {
  return STRATEGIES.some(
    (strategy) => name === strategy || name.startsWith(`${strategy}-`) || name.startsWith(`${strategy}@`),
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
  const missing = whyMissing(folder, record, point);
  if (missing !== undefined) throw new UserError('failed', missing.reason);
  const removals = removalsOf(folder, record);
  if ('channels' in point)
    return { removals: removals.slice(0, prunableChannels(record.architecture) - point.channels) };
  const weights = readWeightsOf(record, folder, snapshotFile(point.percent));
  return { removals: removals.slice(0, Number(weights.metadata['step'])), weights };
}

/** What a pruning run has removed so far. */
function removalsOf(folder: string, record: RunRecord): readonly Removal[] {
  return (
    record.pruning?.removals ?? peekProgress<{ removals: Removal[] }>(folder, runKey(record))?.removals ?? []
  );
}

/** Why a pruning run does not have a point; undefined if it has. */
function whyMissing(folder: string, record: RunRecord, point: SnapshotPoint): MissingRun | undefined {
  const removed = removalsOf(folder, record).length;
  const total = prunableChannels(record.architecture);
  const ended = record.status === 'finished' || record.status === 'diverged';
  if ('channels' in point) {
    const needed = total - point.channels;
    if (needed >= 0 && needed <= removed) return undefined;
    return {
      reason: `${folder}: has no network with ${point.channels} prunable channels, expected ${total - removed} to ${total}`,
      ended: ended || needed < 0,
    };
  }
  if (existsSync(join(folder, snapshotFile(point.percent)))) return undefined;
  const kept = (record.config as Experiment).pruning.snapshots;
  const reached = Math.round((100 * (total - removed)) / total);
  const why = !kept.includes(point.percent)
    ? `; there are ${kept.join(', ')} %, or give a number of channels`
    : ended
      ? `: the run ended at ${reached} %`
      : `: the run has come to ${reached} % so far; go on with it: lunet prune`;
  return {
    reason: `${folder}: has no snapshot at ${point.percent} %${why}`,
    ended: ended || !kept.includes(point.percent),
  };
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

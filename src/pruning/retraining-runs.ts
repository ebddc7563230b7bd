// Plans the runs of `lunet retrain`: they train the architectures of pruning runs at snapshots, or at any number of
// channels, as independent networks.

import { join } from 'node:path';
import { type Experiment, type Init } from '../config/schema.js';
import { choose } from '../config/suggest.js';
import { UserError } from '../errors.js';
import { type Architecture } from '../network/architecture.js';
import { prunableChannels } from '../network/surgery.js';
import { type Weights } from '../network/weights.js';
import { type Dataset } from '../data/dataset.js';
import { type Split } from '../data/split.js';
import { type FoundRun, findRuns } from '../runs/find.js';
import { runFolder, splitFolder, splitNames } from '../runs/folders.js';
import { type Identity, describeDifference, settingsOf } from '../runs/identity.js';
import { type RunRecord, readRun } from '../runs/run.js';
import { commonIdentity, trainingIdentity } from '../training/training-runs.js';
import { type TrainingRun } from '../training/run.js';
import { pruningDifference, pruningSettings, setupOf } from './pruning-runs.js';
import { type MissingRun, type SnapshotPoint, startingPoint, whyMissing } from './snapshots.js';
import { STRATEGIES } from './strategies/index.js';

/** The name of the results: METHOD/50%-random, METHOD/60-channels-rewind. */
export function retrainingMethod(pruning: string, point: SnapshotPoint, init: Init): string {
  return `${pruning}/${'percent' in point ? `${point.percent}%` : `${point.channels}-channels`}-${init}`;
}

/** Restricts the retraining runs; undefined means as in the config, for all existing pruning runs. */
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
 * The retraining runs of an experiment that can be done; `missing` is called for the others. Throws a UserError of kind
 * `failed` if none can be done. Throws one of kind `usage` for names and points that no pruning run has, and for `inherit`
 * at a point whose weights were not kept.
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

/** Throws a UserError of kind `usage` for a point that no pruning run will ever reach. */
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

/** The pruning runs that provide the architectures: those with the seeds and settings of the config. */
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
  // A name that pruning could produce is not a mistake: its run may come later.
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
      const reason = `${folder}: was pruned with ${difference}; give the same settings, or prune again with --overwrite`;
      if (wanted !== undefined || methods.length === 1) throw new UserError('usage', reason);
      missing.push({ reason, ended: true });
      return false;
    });
  });
}

/** Whether a name has the form of pruning methods: STRATEGY[-CRITERION][@MODEL][-trained]. */
function mayBeMethod(name: string): boolean {
  return STRATEGIES.some(
    (strategy) => name === strategy || name.startsWith(`${strategy}-`) || name.startsWith(`${strategy}@`),
  );
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

/** The identity of a retraining run without its seed and starting network. */
function retrainingSettings(
  config: Experiment,
  split: string,
  { model, training, trained, pruning }: Identity,
  point: SnapshotPoint,
  init: Init,
): Identity {
  return {
    ...commonIdentity(config, split),
    point,
    init,
    pruned: { model, training, ...(trained !== undefined && { trained }), pruning },
    training: { ...trainingIdentity(config), epochs: config.retraining.epochs },
  };
}

/**
 * How a retraining run differs from what the config describes now: in its settings, those of its pruning run, or, if the
 * pruning run still exists, the pruned network. Undefined if it does not.
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

/** A planned run with the cases of the data set filled in. */
export function retrainingRun(config: Experiment, planned: PlannedRetraining, dataset: Dataset): TrainingRun {
  return {
    ...planned,
    kind: 'retrain',
    splitName: planned.split,
    split: dataset.splits.get(planned.split) as Split,
    epochs: config.retraining.epochs,
  };
}

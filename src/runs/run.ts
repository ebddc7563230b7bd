// run.json, the record of a run: what it is, on which machine it ran, and its status. The rules for resuming a run are here
// and in identity.ts.

import { lstatSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type FurtherMetric } from '../config/metrics.js';
import { type SplitCutOff } from '../data/cut-off.js';
import { type FittedNormalisation, type PerChannel, isFitted } from '../data/normalise.js';
import { UserError } from '../errors.js';
import { fsReason } from '../fs-reason.js';
import { type Engine, type EngineDescription, type VolumeSize } from '../engine/engine.js';
import { type Architecture } from '../network/architecture.js';
import { countMultiplyAdds } from '../network/cost.js';
import { countParameters } from '../network/parameters.js';
import { type Removal } from '../network/surgery.js';
import { packageVersion } from '../version.js';
import { commitFile, diskError, makeFolder } from './commit.js';
import { FILES, type RunKind } from './folders.js';
import { type Identity, hashIdentity } from './identity.js';
import { type Waiting, lockRun } from './lock/lock.js';
import { seal, unseal } from './sealed.js';
import { removeTemporary } from './temporary.js';

export type RunStatus = 'running' | 'interrupted' | 'finished' | 'diverged';

const VERSION = 2;

export interface RunRecord {
  readonly version: typeof VERSION;
  readonly kind: RunKind;
  /** Name of its split; `default` if the experiment has one split without a name. */
  readonly split: string;
  /** The name of its results: a model, a strategy, or the path of a snapshot. */
  readonly method: string;
  readonly seed: number;
  readonly status: RunStatus;
  /** When it was started, as an ISO 8601 time. */
  readonly begun: string;
  readonly identity: Identity;
  readonly identityHash: string;
  /** SHA-256 of the network inputs and targets of all cases of the split. */
  readonly datasetHash: string;
  /** The same of all folds, if the split is one of several folds: their results are pooled only if it is equal. */
  readonly foldsHash?: string;
  /** Ids of the cases of the split. */
  readonly cases: Cases;
  /** Labelled voxels that cropping removed. */
  readonly cutOff: SplitCutOff;
  /** With the constants that were fitted on training cases, if there are any. */
  readonly normalisation?: PerChannel<FittedNormalisation>;
  readonly labels: readonly string[];
  readonly environment: {
    readonly lunet: string;
    readonly node: string;
    readonly engine: EngineDescription;
  };
  /** The complete resolved experiment. */
  readonly config: unknown;
  readonly architecture: Architecture;
  readonly parameters: number;
  readonly multiplyAdds: number;
  /** Seconds of work, including those before interruptions. */
  readonly seconds: number;
  /** Final test Dice: mean over labels, then by label. */
  readonly testDice?: readonly number[];
  /** The same on the grids of the files, if preprocessing changes the grid of a test case. */
  readonly testDiceOriginal?: readonly number[];
  /** For a training run with validation cases: its epoch with the largest validation Dice, whose network is in best.safetensors. */
  readonly best?: BestEpoch;
  /** For a training run that ended early: its last epoch. */
  readonly stoppedAt?: number;
  /** Further measures of the test cases at the end of a training run, if the config asks for any. */
  readonly testMetrics?: TestMetrics;
  /** For a diverged run: where it diverged. */
  readonly divergedAt?: string;
  /** For a retrained network: where its architecture comes from. */
  readonly provenance?: unknown;
  /** For a finished pruning run. */
  readonly pruning?: PruningResult;
  /** For a run that has ended: SHA-256 of its CSV files by name. */
  readonly files?: Readonly<Record<string, string>>;
}

/** The epoch of a training run with the largest validation Dice. Dice is the mean over labels, then by label. */
export interface BestEpoch {
  readonly epoch: number;
  readonly validationDice: readonly number[];
  /** Unbiased: test cases did not choose the epoch. */
  readonly testDice: readonly number[];
}

/** Case ids of a split by purpose. */
export interface Cases {
  readonly train: readonly string[];
  readonly validation: readonly string[];
  readonly test: readonly string[];
}

/** Measures of test cases besides Dice; first of all labels together, then by label. */
export interface TestMetrics {
  /** Means over the cases that have a finite value, then over labels; null where no case has one. */
  readonly means: Readonly<Partial<Record<FurtherMetric, readonly (number | null)[]>>>;
  /** Cases in which only the truth or only the prediction has the label: their distances are infinite. */
  readonly misses: readonly number[];
}

/** The network at a step of a pruning run, before the removal. */
export interface PruningStep {
  /** Channels removed so far. */
  readonly step: number;
  /** Prunable channels left, as a number and as a fraction. */
  readonly channels: number;
  readonly fraction: number;
  readonly parameters: number;
  readonly multiplyAdds: number;
  readonly testDice: number;
  readonly testDiceByLabel: readonly number[];
  readonly validationDice?: number;
  /** At a snapshot and at the end, if preprocessing changes the grid of a test case: on the grids of the files. */
  readonly testDiceOriginal?: readonly number[];
  /** At a snapshot and at the end, if the config asks for further measures. */
  readonly testMetrics?: TestMetrics;
  readonly architecture: Architecture;
}

/** The result of a pruning run. */
export interface PruningResult {
  /** Prunable channels at the start. */
  readonly total: number;
  /** Step with the largest test Dice: selected on the test cases, so an upper bound. */
  readonly best: PruningStep;
  /** Step with the largest validation Dice, if the split has validation cases: unbiased on the test cases. */
  readonly chosen?: PruningStep;
  /** By percent of prunable channels. */
  readonly snapshots: Readonly<Record<string, PruningStep>>;
  readonly final: PruningStep;
  readonly stop: 'one-channel' | 'collapse';
  readonly removals: readonly Removal[];
}

/** The input for a new record. */
interface NewRun {
  readonly kind: RunKind;
  readonly splitName: string;
  readonly split: Cases;
  readonly method: string;
  readonly seed: number;
  readonly architecture: Architecture;
  readonly identity: Identity;
  readonly provenance?: unknown;
}

/** The record of a run that starts now. */
export function newRecord(
  {
    config,
    dataset,
    engine,
  }: { readonly config: unknown; readonly dataset: Ground; readonly engine: Engine },
  { kind, splitName, split, method, seed, architecture, identity, provenance }: NewRun,
): RunRecord {
  const [depth, height, width] = dataset.size;
  return {
    version: VERSION,
    kind,
    split: splitName,
    method,
    seed,
    status: 'running',
    begun: new Date().toISOString(),
    identity,
    identityHash: hashIdentity(identity),
    datasetHash: dataset.hashes.get(splitName) as string,
    ...(dataset.foldsHash !== undefined && { foldsHash: dataset.foldsHash }),
    cases: { train: split.train, validation: split.validation, test: split.test },
    cutOff: dataset.cutOff.get(splitName) as SplitCutOff,
    ...fittedIn(dataset.normalisation.get(splitName)),
    labels: dataset.outputs,
    environment: { lunet: packageVersion(), node: process.version, engine: engine.description },
    config,
    architecture,
    parameters: countParameters(architecture),
    multiplyAdds: countMultiplyAdds(architecture, depth * height * width),
    seconds: 0,
    ...(provenance !== undefined && { provenance }),
  };
}

/** The normalisation if it has fitted constants; without them it is in the config. */
function fittedIn(
  normalisation: PerChannel<FittedNormalisation> | undefined,
): Pick<RunRecord, 'normalisation'> {
  return normalisation && [normalisation].flat().some(isFitted) ? { normalisation } : {};
}

/** The facts about the data set that a record keeps. */
interface Ground {
  readonly hashes: ReadonlyMap<string, string>;
  readonly foldsHash?: string | undefined;
  readonly cutOff: ReadonlyMap<string, SplitCutOff>;
  readonly normalisation: ReadonlyMap<string, PerChannel<FittedNormalisation>>;
  readonly outputs: readonly string[];
  readonly size: VolumeSize;
}

/**
 * Reads the record of a run; undefined if the run has not been started. Throws a UserError of kind `data` if the record has
 * changed since lunet wrote it, or if this version of lunet cannot read it.
 */
export function readRun(folder: string): RunRecord | undefined {
  const path = join(folder, FILES.record);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    const reason = `${path}: cannot be read: ${fsReason(error)}`;
    // Part of the path is a file, so no run can be there.
    if (code === 'ENOTDIR')
      throw new UserError('disk', `${reason}; choose another folder with --set output=DIR`, { cause: error });
    throw new UserError('data', reason, { cause: error });
  }
  const record = unseal(text) as RunRecord | undefined;
  if (record?.version === VERSION) return record;
  const older = /^\{\s*"version": (\d+),/.exec(text)?.[1];
  if (older !== undefined && Number(older) !== VERSION)
    throw new UserError(
      'data',
      `${path}: found a record of version ${older}, expected ${VERSION}: the run was done by another version of lunet; ` +
        'finish it with that version, or start it again with --overwrite',
    );
  throw new UserError(
    'data',
    `${path}: is damaged or was changed by hand, expected the record of a run as lunet wrote it; ` +
      'start the run again with --overwrite',
  );
}

/** Writes the record of a run. */
export function writeRun(folder: string, record: RunRecord): void {
  commitFile(join(folder, FILES.record), seal(record));
}

/** Refuses to resume with other voxels or on another engine, instruction set or build of it: the bits would not be those of one run. */
export function requireSameGround(
  folder: string,
  record: RunRecord,
  datasetHash: string | undefined,
  engine: EngineDescription,
): void {
  if (record.datasetHash !== datasetHash)
    throw new UserError(
      'usage',
      `${folder}: the data has changed since this run was started; ` +
        'give the experiment another name (--set experiment=NAME), or replace the run with --overwrite',
    );
  const was = record.environment.engine;
  if (was.name !== engine.name || was.device !== engine.device)
    throw new UserError(
      'engine',
      `${folder}: this run was started on ${was.name} (${was.device}), here is ${engine.name} (${engine.device}), ` +
        'whose results differ in the last bits; finish it there, or replace it with --overwrite',
    );
  // Runs of earlier versions have no compiler on record.
  if (was.build !== undefined && engine.build !== undefined && was.build !== engine.build)
    throw new UserError(
      'engine',
      `${folder}: this run was started on an engine made with ${was.build}, here is one made with ${engine.build}, ` +
        'whose results differ in the last bits; finish it there, set LUNET_NATIVE to that engine, or replace the run with --overwrite',
    );
}

/**
 * Creates the folder of a run if needed, takes its lock and removes temporary files. Without a record, or with `overwrite`,
 * also removes all files of the run. The returned function releases the lock.
 */
export async function openRun(folder: string, overwrite: boolean, waiting: Waiting): Promise<() => void> {
  makeFolder(folder);
  const release = await lockRun(folder, waiting);
  try {
    removeTemporary(folder);
    // Only if the record is certainly absent: a disk that fails to answer must not lead to the loss of a run.
    if (overwrite || lstatSync(join(folder, FILES.record), { throwIfNoEntry: false }) === undefined)
      clearRun(folder);
  } catch (error) {
    release();
    throw error;
  }
  return release;
}

/** Removes the files that runs write into their folders. The record first: without it the other files are ignored. */
function clearRun(folder: string): void {
  const names = readdirSync(folder).filter((name) => /\.(csv|json|safetensors)$/.test(name));
  for (const path of [FILES.record, ...names].map((name) => join(folder, name))) {
    try {
      // Runs create no such folder, so keep it; writing the file later reports the conflict.
      if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) rmSync(path, { force: true });
    } catch (error) {
      throw diskError(path, error);
    }
  }
}

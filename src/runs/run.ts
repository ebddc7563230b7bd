// run.json: what a run is, on what it ran, and how far it has come. The rules of going on with a run are here.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { type Engine, type EngineDescription, type VolumeSize } from '../engine/engine.js';
import { type Architecture } from '../network/architecture.js';
import { countMultiplyAdds } from '../network/cost.js';
import { countParameters } from '../network/parameters.js';
import { type Removal } from '../network/surgery.js';
import { packageVersion } from '../version.js';
import { commitFile, makeFolder, removeTemporary } from './commit.js';
import { type RunKind } from './folders.js';
import { lockRun } from './lock.js';

const RECORD = 'run.json';

export type RunStatus = 'running' | 'interrupted' | 'finished' | 'diverged';

/** What determines a run's numbers, and so must be the same when it goes on. */
export type Identity = Readonly<Record<string, unknown>>;

export interface RunRecord {
  readonly version: 1;
  readonly kind: RunKind;
  /** What its results are filed under: a model, a strategy, a snapshot's path. */
  readonly method: string;
  readonly seed: number;
  readonly status: RunStatus;
  readonly identity: Identity;
  readonly identityHash: string;
  readonly datasetHash: string;
  readonly labels: readonly string[];
  readonly environment: {
    readonly lunet: string;
    readonly node: string;
    readonly engine: EngineDescription;
  };
  /** The whole experiment as it was resolved. */
  readonly config: unknown;
  readonly architecture: Architecture;
  readonly parameters: number;
  readonly multiplyAdds: number;
  /** Seconds of work, those before interruptions included. */
  readonly seconds: number;
  /** Final test Dice: mean over labels, then by label. */
  readonly testDice?: readonly number[];
  /** Of a diverged run: where. */
  readonly divergedAt?: string;
  /** Of a retrained network: where its architecture came from. */
  readonly provenance?: unknown;
  /** Of a finished pruning run. */
  readonly pruning?: PruningResult;
}

/** A network along a pruning run, before the step's removal. */
export interface PruningStep {
  /** Channels removed so far. */
  readonly step: number;
  /** Prunable channels left, and their share. */
  readonly channels: number;
  readonly fraction: number;
  readonly parameters: number;
  readonly multiplyAdds: number;
  readonly testDice: number;
  readonly testDiceByLabel: readonly number[];
  readonly validationDice?: number;
  readonly architecture: Architecture;
}

/** What came out of a pruning run. */
export interface PruningResult {
  /** Prunable channels at the start. */
  readonly total: number;
  /** Largest test Dice: chosen on the test cases, so an upper bound. */
  readonly best: PruningStep;
  /** Largest validation Dice, where the split has a validation part: unbiased on the test cases. */
  readonly chosen?: PruningStep;
  /** By percent of prunable channels. */
  readonly snapshots: Readonly<Record<string, PruningStep>>;
  readonly final: PruningStep;
  readonly stop: 'one-channel' | 'collapse';
  readonly removals: readonly Removal[];
}

/** What a new record is made of. */
interface NewRun {
  readonly kind: RunKind;
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
  { kind, method, seed, architecture, identity, provenance }: NewRun,
): RunRecord {
  const [depth, height, width] = dataset.size;
  return {
    version: 1,
    kind,
    method,
    seed,
    status: 'running',
    identity,
    identityHash: hashIdentity(identity),
    datasetHash: dataset.hash,
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

/** What of a data set a record keeps. */
interface Ground {
  readonly hash: string;
  readonly outputs: readonly string[];
  readonly size: VolumeSize;
}

/** Reads a run's record; undefined if the run has not been started. */
export function readRun(folder: string): RunRecord | undefined {
  const path = join(folder, RECORD);
  if (!existsSync(path)) return undefined;
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as RunRecord;
    if (record.version === 1) return record;
  } catch {
    // Said below.
  }
  throw new UserError(
    'data',
    `${path}: is damaged, expected a run's record; start the run anew with --overwrite`,
  );
}

/** Writes a run's record. */
export function writeRun(folder: string, record: RunRecord): void {
  commitFile(join(folder, RECORD), `${JSON.stringify(record, null, 2)}\n`);
}

function hashIdentity(identity: Identity): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex');
}

/** Refuses to mix runs: throws a UserError of kind `usage` that names the keys in which a run's config differs. */
export function requireSameIdentity(folder: string, record: RunRecord, identity: Identity): void {
  const keys = differingKeys(record.identity, identity);
  if (keys.length === 0) return;
  const list = keys.slice(0, 10).join(', ');
  throw new UserError(
    'usage',
    `${folder}: this run was started with other settings: ${list}${keys.length > 10 ? ', ...' : ''}; ` +
      'give the experiment another name (--set experiment=NAME), or replace the run with --overwrite',
  );
}

/** Dotted keys in which two plain values differ, with both values where they are short. */
function differingKeys(a: unknown, b: unknown, key = ''): string[] {
  if (JSON.stringify(a) === JSON.stringify(b)) return [];
  const plain = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (plain(a) && plain(b))
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((name) =>
      differingKeys(a[name], b[name], key === '' ? name : `${key}.${name}`),
    );
  const short = (value: unknown): string => {
    const text = value === undefined ? 'unset' : JSON.stringify(value);
    return text.length > 40 ? `${text.slice(0, 40)}...` : text;
  };
  return [`${key} (${short(a)} then, ${short(b)} now)`];
}

/** Refuses to go on with other voxels or on another instruction set, where the bits would not be those of one run. */
export function requireSameGround(
  folder: string,
  record: RunRecord,
  datasetHash: string,
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
}

/**
 * Makes a run's folder if need be, takes its lock and tidies up. Without a record, or with `overwrite`, what is there
 * counts for nothing and is removed. Call the result to give the lock back.
 */
export function openRun(folder: string, overwrite: boolean): () => void {
  makeFolder(folder);
  const release = lockRun(folder);
  try {
    removeTemporary(folder);
    if (overwrite || !existsSync(join(folder, RECORD))) clearRun(folder);
  } catch (error) {
    release();
    throw error;
  }
  return release;
}

/** Removes what runs write into their folders. The record goes first: without it the rest counts for nothing. */
function clearRun(folder: string): void {
  rmSync(join(folder, RECORD), { force: true });
  for (const name of readdirSync(folder))
    if (/\.(csv|json|safetensors)$/.test(name)) rmSync(join(folder, name), { force: true });
}

// The networks along a pruning run that can be retrained as independent networks: which of them exist, and the weights that
// each starts with.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Experiment, type Init } from '../config/schema.js';
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
import { peekProgress } from '../runs/checkpoint.js';
import { FILES, snapshotFile } from '../runs/folders.js';
import { type Source, runKey } from '../runs/identity.js';
import { type SavedWeights, readWeightsOf } from '../runs/network-file.js';
import { type RunRecord } from '../runs/run.js';
import { sha256 } from '../sha256.js';

/** A point of a pruning run: a percentage or a number of remaining channels. */
export type SnapshotPoint = { readonly percent: number } | { readonly channels: number };

/** A requested retraining run that cannot be done: its pruning run is missing or has not reached the point. */
export interface MissingRun {
  readonly reason: string;
  /** Whether it can never be done: the pruning run ended before the point. */
  readonly ended: boolean;
}

/** The network that a retraining run starts from, and its source for the identity of the run. */
export function startingPoint(
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
    const initial = readWeightsOf(record, folder, FILES.initial);
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

/** The removals up to a point, and the weights at that point if they were kept. */
interface Snapshot {
  readonly removals: readonly Removal[];
  readonly weights?: SavedWeights;
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

/** The removals of a pruning run so far. */
function removalsOf(folder: string, record: RunRecord): readonly Removal[] {
  return (
    record.pruning?.removals ?? peekProgress<{ removals: Removal[] }>(folder, runKey(record))?.removals ?? []
  );
}

/** Why a pruning run does not have a point; undefined if it has it. */
export function whyMissing(folder: string, record: RunRecord, point: SnapshotPoint): MissingRun | undefined {
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
      : `: the run has reached ${reached} % so far; continue it with: lunet prune`;
  return {
    reason: `${folder}: has no snapshot at ${point.percent} %${why}`,
    ended: ended || !kept.includes(point.percent),
  };
}

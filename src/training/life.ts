// One life of a run: locks its folder, checks its identity, starts it or resumes it from its checkpoint, does its work, and
// leaves it so that another life can resume with the same bits. training/run.ts and pruning/loop.ts define the work.

import { type Experiment } from '../config/schema.js';
import { type Dataset, inSplit } from '../data/dataset.js';
import { type Split } from '../data/split.js';
import { type Engine, InterruptedError, type Network } from '../engine/engine.js';
import { type Architecture } from '../network/architecture.js';
import { countParameters } from '../network/parameters.js';
import { type OptimizerState, type Weights } from '../network/weights.js';
import { readCheckpoint } from '../runs/checkpoint.js';
import { type RunKind } from '../runs/folders.js';
import { type Identity, requireSameIdentity, runKey } from '../runs/identity.js';
import {
  type BestEpoch,
  type PruningResult,
  type RunRecord,
  type TestMetrics,
  newRecord,
  openRun,
  readRun,
  requireSameGround,
  writeRun,
} from '../runs/run.js';
import { requireSpace } from '../runs/space.js';
import { type Backlog, catchUp } from './backlog.js';
import { DivergedError } from './epoch.js';
import { networkSettings } from './network-settings.js';
import { beginRun, saveLater } from './outputs.js';

/** The context that all runs of a command share. */
export interface RunContext {
  readonly config: Experiment;
  readonly dataset: Dataset;
  readonly engine: Engine;
  readonly overwrite: boolean;
  readonly signal?: AbortSignal;
  readonly warn: (message: string) => void;
}

/** The context with the dataset as networks of a run's split see it. */
export function contextOf(context: RunContext, { splitName }: Pick<Run, 'splitName'>): RunContext {
  return { ...context, dataset: inSplit(context.dataset, splitName) };
}

/** A run before it is opened. */
export interface Run {
  readonly folder: string;
  readonly kind: RunKind;
  readonly method: string;
  readonly seed: number;
  readonly splitName: string;
  readonly split: Split;
  /** The network that it starts with. */
  readonly architecture: Architecture;
  readonly identity: Identity;
  /** The starting weights; called only if the run starts from the beginning. */
  readonly start: () => Weights;
  readonly provenance?: unknown;
}

/** The progress that all kinds of runs share; plain JSON, stored in the checkpoint. */
export interface RunProgress {
  /** Seconds of work: of the whole run, and (`partSeconds`) of the current epoch or step. */
  seconds: number;
  partSeconds: number;
  /** SHA-256 of files that are on disk and are not written again, by name. */
  files: Record<string, string>;
}

/** The result of a run. */
export interface Ending {
  readonly testDice: readonly number[];
  readonly testDiceOriginal?: readonly number[];
  readonly best?: BestEpoch;
  readonly stoppedAt?: number;
  readonly testMetrics?: TestMetrics;
  readonly pruning?: PruningResult;
}

/** The work of one kind of run. */
export interface Work<P extends RunProgress> {
  /** The progress of a new run. */
  readonly begin: () => P;
  readonly work: (life: Life<P>) => Promise<Ending>;
  /** A description of the current place, for a run that diverges. */
  readonly place: (at: P) => string;
  /** SHA-256 of all CSV files of a run that has ended, by name. */
  readonly digests: (at: P) => Record<string, string>;
}

/** A run during its work. */
export interface Life<P extends RunProgress> {
  readonly record: RunRecord;
  /** The progress; changed in place as the run continues. */
  readonly at: P;
  /** The weights to continue with; without optimizer state Adam starts from zero. */
  readonly weights: Weights;
  readonly optimizer: OptimizerState | undefined;
  readonly resumed: boolean;
  readonly backlog: Backlog;
  /** Adds the time since the last call to the seconds of the progress. */
  readonly tick: () => void;
  /**
   * Loads a network and frees it when `use` ends. If the run is interrupted meanwhile, writes a checkpoint of that network.
   */
  readonly withNetwork: <T>(
    architecture: Architecture,
    weights: Weights,
    optimizer: OptimizerState | undefined,
    use: (network: Network) => Promise<T>,
  ) => Promise<T>;
}

/**
 * Opens a run, does its work and closes it. Resolves to its record: `finished`, `interrupted` if it was asked to stop,
 * `diverged` if a number was not finite. Rejects with a UserError if the run must not continue (other settings, data or
 * engine), is in use, or its disk fails; finished work is on disk in every case.
 */
export async function liveRun<P extends RunProgress>(
  context: RunContext,
  run: Run,
  { begin, work, place, digests }: Work<P>,
): Promise<RunRecord> {
  const release = await openRun(run.folder, context.overwrite, context);
  const backlog: Backlog = [];
  try {
    const known = readRun(run.folder);
    if (known) {
      requireSameIdentity(run.folder, known.identity, run.identity);
      if (known.status === 'finished' || known.status === 'diverged') return known;
      const { dataset, engine } = context;
      requireSameGround(run.folder, known, dataset.hashes.get(run.splitName), engine.description);
    }
    const life = enter(context, run, known, begin, backlog);
    const changes = await work(life).then(
      (ending) => ({ status: 'finished' as const, ...ending, files: digests(life.at) }),
      (error: unknown) =>
        whyStopped(
          error,
          () => place(life.at),
          () => digests(life.at),
        ),
    );
    // First write everything that the record will mention.
    catchUp(backlog);
    const record = { ...life.record, ...changes, seconds: life.at.seconds };
    writeRun(run.folder, record);
    return record;
  } finally {
    // For whatever reason the run ended, write its finished work.
    try {
      catchUp(backlog);
    } finally {
      release();
    }
  }
}

/** Starts or resumes a run: afterwards its record says `running`, and there is a checkpoint. */
function enter<P extends RunProgress>(
  context: RunContext,
  run: Run,
  known: RunRecord | undefined,
  begin: () => P,
  backlog: Backlog,
): Life<P> {
  const { folder } = run;
  requireSpace(folder, countParameters(run.architecture), context.warn);
  const saved = known && readCheckpoint<P>(folder, runKey(known), context.warn);
  const weights = saved?.weights ?? run.start();
  const at = saved?.progress ?? begin();
  const record: RunRecord = known ? { ...known, status: 'running' } : newRecord(context, run);
  if (known) writeRun(folder, record);
  else beginRun(folder, record, weights, at);
  const tick = stopwatch(at);
  return {
    record,
    at,
    weights,
    optimizer: saved?.optimizer,
    resumed: known !== undefined,
    backlog,
    tick,
    withNetwork: async (architecture, weights, optimizer, use) => {
      const settings = networkSettings(context.config, architecture, context.dataset, run.split);
      const network = await context.engine.load(settings, weights, optimizer);
      const interrupt = (): void => network.interrupt();
      context.signal?.addEventListener('abort', interrupt);
      try {
        return await use(network);
      } catch (error) {
        tick();
        if (error instanceof InterruptedError) await saveLater(backlog, folder, record, network, at);
        throw error;
      } finally {
        context.signal?.removeEventListener('abort', interrupt);
        network.dispose();
      }
    },
  };
}

/** The status in the record of a run that stopped before its end; rethrows other errors. */
function whyStopped(
  error: unknown,
  place: () => string,
  digests: () => Record<string, string>,
): Partial<RunRecord> {
  if (error instanceof InterruptedError) return { status: 'interrupted' };
  if (error instanceof DivergedError)
    return { status: 'diverged', divergedAt: `${place()}, ${error.message}`, files: digests() };
  throw error;
}

function stopwatch(at: RunProgress): () => void {
  let began = performance.now();
  return () => {
    const seconds = (performance.now() - began) / 1000;
    began += 1000 * seconds;
    at.seconds += seconds;
    at.partSeconds += seconds;
  };
}

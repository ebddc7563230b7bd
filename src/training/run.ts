// A training run in its folder, from the first epoch or from its checkpoint to the last: the same for models that are
// trained and for pruned architectures that are retrained.

import { join } from 'node:path';
import { type Experiment } from '../config/schema.js';
import { type Dataset } from '../data/dataset.js';
import { type Split } from '../data/split.js';
import { type Engine, InterruptedError } from '../engine/engine.js';
import { type Architecture, totalChannels } from '../network/architecture.js';
import { countParameters } from '../network/parameters.js';
import { type Weights } from '../network/weights.js';
import { readCheckpoint } from '../runs/checkpoint.js';
import { commitFile, failpoint } from '../runs/commit.js';
import { type Row, csvText } from '../runs/csv.js';
import { type RunKind } from '../runs/folders.js';
import { type Identity, requireSameIdentity, runKey } from '../runs/identity.js';
import { epochColumns } from '../runs/records.js';
import { type RunRecord, newRecord, openRun, readRun, requireSameGround, writeRun } from '../runs/run.js';
import { sha256 } from '../runs/sealed.js';
import { requireSpace } from '../runs/space.js';
import { type Backlog, catchUp } from './backlog.js';
import { DivergedError, type EpochProgress, evaluateCases, trainEpoch } from './epoch.js';
import { meanDice } from './metrics.js';
import { beginRun, casesText, diceCells, saveLater, writeTensors } from './outputs.js';

/** What all runs of a command share. */
export interface RunContext {
  readonly config: Experiment;
  readonly dataset: Dataset;
  readonly engine: Engine;
  readonly overwrite: boolean;
  readonly signal?: AbortSignal;
  readonly warn: (message: string) => void;
}

/** One run. */
export interface TrainingRun {
  readonly folder: string;
  readonly kind: RunKind;
  readonly method: string;
  readonly seed: number;
  readonly splitName: string;
  readonly split: Split;
  readonly architecture: Architecture;
  readonly identity: Identity;
  readonly epochs: number;
  /** Weights to start from; called only when the run starts anew. */
  readonly start: () => Weights;
  readonly provenance?: unknown;
}

export interface TrainingOptions {
  /** Called after each epoch, once its files are on disk. */
  readonly progress?: (epoch: number, detail: string) => void;
}

interface Progress extends EpochProgress {
  /** Epochs completed. */
  epoch: number;
  seconds: number;
  /** Of the epoch that is under way. */
  epochSeconds: number;
  rows: Row[];
}

/** The run's record at its end; `interrupted` if it was asked to stop, `diverged` if its loss was not finite. */
export async function trainRun(
  context: RunContext,
  run: TrainingRun,
  { progress: report }: TrainingOptions = {},
): Promise<RunRecord> {
  const { config, dataset, engine } = context;
  const { folder, architecture, split, epochs } = run;
  const release = await openRun(folder, context.overwrite, context);
  const backlog: Backlog = [];
  try {
    const known = readRun(folder);
    if (known) {
      requireSameIdentity(folder, known.identity, run.identity);
      if (known.status === 'finished' || known.status === 'diverged') return known;
      requireSameGround(folder, known, dataset.hashes.get(run.splitName), engine.description);
    }
    requireSpace(folder, countParameters(architecture), context.warn);
    const saved = known && readCheckpoint<Progress>(folder, runKey(known), context.warn);
    const weights = saved?.weights ?? run.start();
    const at: Progress = saved?.progress ?? {
      epoch: 0,
      batches: 0,
      lossSum: 0,
      seconds: 0,
      epochSeconds: 0,
      rows: [],
    };
    let record: RunRecord = known ? { ...known, status: 'running' } : newRecord(context, run);
    if (known) {
      writeRun(folder, record);
      // The process may have been killed between the checkpoint and its rows.
      commitFile(join(folder, 'epochs.csv'), epochsText(context, run, at.rows));
    } else beginRun(folder, record, weights, at);
    // The record says no more than what is on disk.
    const finish = (changes: Partial<RunRecord>): RunRecord => {
      catchUp(backlog);
      record = { ...record, ...changes, seconds: at.seconds };
      writeRun(folder, record);
      return record;
    };

    const { training } = config;
    const network = await engine.load(
      {
        architecture,
        size: dataset.size,
        maxBatch: largestBatch(training.batch, split),
        targets: dataset.targets,
        adam: { ...training.adam, epsilon: 1e-8 },
      },
      weights,
      saved?.optimizer,
    );
    const interrupt = (): void => network.interrupt();
    context.signal?.addEventListener('abort', interrupt);
    const save = async (): Promise<void> => {
      await saveLater(backlog, folder, record, network, at);
      const rows = [...at.rows];
      backlog.push(() => commitFile(join(folder, 'epochs.csv'), epochsText(context, run, rows)));
    };
    let began = performance.now();
    const tick = (): void => {
      const seconds = (performance.now() - began) / 1000;
      began += 1000 * seconds;
      at.seconds += seconds;
      at.epochSeconds += seconds;
    };
    try {
      const dropout = new Float64Array(totalChannels(architecture)).fill(training.dropout);
      const evaluate = (ids: readonly string[]): Promise<number[][]> =>
        evaluateCases(network, dataset.sample, ids, training.batch, context.signal, backlog);
      while (at.epoch < epochs) {
        const epoch = at.epoch + 1;
        const settings = {
          network,
          sample: dataset.sample,
          cases: split.train,
          batch: training.batch,
          learningRate: learningRateAt(training, epoch, epochs),
          dropout,
          seed: run.seed,
          key: [run.kind, epoch],
          signal: context.signal,
          backlog,
        };
        const loss = await trainEpoch(settings, at);
        const due = epoch % training.evaluateEvery === 0 || epoch === epochs;
        const test = due ? meanDice(await evaluate(split.test)) : undefined;
        const validation =
          due && split.validation.length > 0 ? meanDice(await evaluate(split.validation)) : undefined;
        tick();
        at.rows.push(epochRow(dataset.outputs, epoch, loss, test, validation, at.epochSeconds));
        at.epochSeconds = 0;
        at.epoch = epoch;
        at.batches = 0;
        at.lossSum = 0;
        await save();
        const line = `loss ${loss.toFixed(4)}${test ? `  Dice ${(test[0] as number).toFixed(4)}` : ''}`;
        backlog.push(() => report?.(epoch, line));
      }
      const dice = await evaluate(split.test);
      catchUp(backlog);
      const cases = casesText(dataset.outputs, split.test, dice);
      commitFile(join(folder, 'cases.csv'), cases);
      writeTensors(join(folder, 'weights.safetensors'), await network.readWeights(), architecture, record);
      tick();
      failpoint('ended');
      return finish({
        status: 'finished',
        testDice: meanDice(dice),
        files: { 'epochs.csv': sha256(epochsText(context, run, at.rows)), 'cases.csv': sha256(cases) },
      });
    } catch (error) {
      tick();
      if (error instanceof InterruptedError) {
        await save();
        return finish({ status: 'interrupted' });
      }
      if (error instanceof DivergedError)
        return finish({
          status: 'diverged',
          divergedAt: `epoch ${at.epoch + 1}, ${error.message}`,
          files: { 'epochs.csv': sha256(epochsText(context, run, at.rows)) },
        });
      throw error;
    } finally {
      context.signal?.removeEventListener('abort', interrupt);
      network.dispose();
    }
  } finally {
    // Whatever ended the run, what it had done is on disk.
    try {
      catchUp(backlog);
    } finally {
      release();
    }
  }
}

/** No batch is larger than the part of the split that it is taken from. */
export function largestBatch(batch: number, { train, validation, test }: Split): number {
  return Math.min(batch, Math.max(train.length, validation.length, test.length));
}

/** The learning rate of an epoch, counted from 1: constant, then falling linearly over the cool-down. */
function learningRateAt(
  { learningRate, cooldown }: Experiment['training'],
  epoch: number,
  epochs: number,
): number {
  return learningRate * Math.min(1, (epochs - epoch + 1) / (cooldown * epochs + 1));
}

function epochRow(
  labels: readonly string[],
  epoch: number,
  loss: number,
  test: readonly number[] | undefined,
  validation: readonly number[] | undefined,
  seconds: number,
): Row {
  return {
    epoch,
    train_loss: loss,
    ...diceCells('test', labels, test),
    ...diceCells('validation', labels, validation),
    seconds: Number(seconds.toFixed(3)),
  };
}

/** The text of epochs.csv. */
function epochsText({ dataset }: RunContext, { split }: TrainingRun, rows: readonly Row[]): string {
  return csvText(epochColumns(dataset.outputs, split.validation.length > 0), rows);
}

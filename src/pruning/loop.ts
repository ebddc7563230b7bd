// A pruning run in its folder, from top to bottom: train the recovery epochs, evaluate, record the step, score, remove
// one channel, start Adam anew, update dropout; until every layer has one channel or the network has collapsed.
//
// What can be repeated to the same bits is not stored: a checkpoint follows every epoch, and a run that is killed while it
// evaluates, scores or removes does that again from the checkpoint before. A step's files are in the backlog ahead of the
// next epoch's checkpoint, so no checkpoint counts a step that has left nothing.

import { join } from 'node:path';
import { type Criterion as CriterionName, type Strategy as StrategyName } from '../config/schema.js';
import { type Split } from '../data/split.js';
import { InterruptedError } from '../engine/engine.js';
import { type Architecture, type Layer, listLayers } from '../network/architecture.js';
import { countParameters } from '../network/parameters.js';
import { type Removal, prunableChannels, removeChannel } from '../network/surgery.js';
import { type Weights } from '../network/weights.js';
import { readCheckpoint } from '../runs/checkpoint.js';
import { commitFile, failpoint } from '../runs/commit.js';
import { type Row } from '../runs/csv.js';
import { type Identity, requireSameIdentity, runKey } from '../runs/identity.js';
import {
  type PruningResult,
  type PruningStep,
  type RunRecord,
  newRecord,
  openRun,
  readRun,
  requireSameGround,
  writeRun,
} from '../runs/run.js';
import { requireSpace } from '../runs/space.js';
import { type Backlog, catchUp } from '../training/backlog.js';
import { DivergedError, type EpochProgress, evaluateCases, trainEpoch } from '../training/epoch.js';
import { meanDice } from '../training/metrics.js';
import { beginRun, casesText, saveLater, writeTensors } from '../training/outputs.js';
import { type RunContext, largestBatch } from '../training/run.js';
import { criteria } from './criteria/index.js';
import { channelRates, initialRates, rankValueRates } from './dropout.js';
import { type StepFiles, digestsOf, growingFiles, lastingFiles, writeStep } from './outputs.js';
import { choiceStream } from './schedule.js';
import { scoreChannels } from './score.js';
import { strategies } from './strategies/index.js';
import { describeStep, dropoutRows, scoreRows, stepLine, stepRow } from './steps.js';

/** One pruning run. */
export interface PruningRun {
  readonly folder: string;
  readonly method: string;
  readonly strategy: StrategyName;
  readonly criterion: CriterionName;
  readonly seed: number;
  readonly splitName: string;
  readonly split: Split;
  readonly architecture: Architecture;
  readonly identity: Identity;
  /** Weights to start from; called only when the run starts anew. */
  readonly start: () => Weights;
  readonly provenance?: unknown;
}

export interface PruningOptions {
  /** Called after each step, once its files are on disk, with the number of channels removed. */
  readonly progress?: (removed: number, detail: string) => void;
}

/** What a checkpoint holds besides weights and optimizer. */
interface Progress extends EpochProgress {
  architecture: Architecture;
  /** Recovery epochs done in this step. */
  recovered: number;
  epochs: number;
  /** Mean training loss of the step's last epoch. */
  loss: number;
  seconds: number;
  stepSeconds: number;
  removals: Removal[];
  /** Dropout rate of each layer. */
  rates: number[];
  /** Steps in a row below the floor of collapse. */
  below: number;
  rows: Row[];
  /** Rows of scores.csv. */
  scoreRows: Row[];
  /** Rows of dropout.csv. */
  dropoutRows: Row[];
  best?: PruningStep;
  chosen?: PruningStep;
  snapshots: Record<string, PruningStep>;
  /** SHA-256 of CSV files that are not written again. */
  files: Record<string, string>;
}

/** The run's record at its end; `interrupted` if it was asked to stop, `diverged` if its loss was not finite. */
export async function pruneRun(
  context: RunContext,
  run: PruningRun,
  { progress: report }: PruningOptions = {},
): Promise<RunRecord> {
  const { config, dataset, engine, signal } = context;
  const { folder, seed, split } = run;
  const { pruning, training } = config;
  const strategy = strategies[run.strategy];
  const total = prunableChannels(run.architecture);
  const release = await openRun(folder, context.overwrite, context);
  const backlog: Backlog = [];
  try {
    const known = readRun(folder);
    if (known) {
      requireSameIdentity(folder, known.identity, run.identity);
      if (known.status === 'finished' || known.status === 'diverged') return known;
      requireSameGround(folder, known, dataset.hashes.get(run.splitName), engine.description);
    }
    requireSpace(folder, countParameters(run.architecture), context.warn);
    const saved = known && readCheckpoint<Progress>(folder, runKey(known), context.warn);
    let weights = saved?.weights ?? run.start();
    let optimizer = saved?.optimizer;
    const at: Progress = saved?.progress ?? {
      architecture: run.architecture,
      recovered: 0,
      epochs: 0,
      loss: 0,
      seconds: 0,
      stepSeconds: 0,
      removals: [],
      rates: initialRates(listLayers(run.architecture), pruning.dropout.initial),
      below: 0,
      rows: [],
      scoreRows: [],
      dropoutRows: [],
      snapshots: {},
      files: {},
      batches: 0,
      lossSum: 0,
    };
    let record: RunRecord = known
      ? { ...known, status: 'running' }
      : newRecord(context, { ...run, kind: 'prune' });
    if (known) writeRun(folder, record);
    else beginRun(folder, record, weights, at);
    // The record says no more than what is on disk.
    const finish = (changes: Partial<RunRecord>): RunRecord => {
      catchUp(backlog);
      record = { ...record, ...changes, seconds: at.seconds };
      writeRun(folder, record);
      return record;
    };
    const tick = stopwatch(at);
    const textsSoFar = (layers: readonly Layer[]): Record<string, string> =>
      at.rows.length === 0
        ? {}
        : growingFiles(dataset.outputs, {
            validated: split.validation.length > 0,
            layers,
            rows: at.rows,
            dropoutRows: at.dropoutRows,
          });

    for (;;) {
      const { architecture } = at;
      const layers = listLayers(architecture);
      const dropout = channelRates(
        at.rates,
        layers.map(({ width }) => width),
      );
      const network = await engine.load(
        {
          architecture,
          size: dataset.size,
          maxBatch: largestBatch(training.batch, split),
          targets: dataset.targets,
          adam: { ...training.adam, epsilon: 1e-8 },
        },
        weights,
        optimizer,
      );
      const interrupt = (): void => network.interrupt();
      signal?.addEventListener('abort', interrupt);
      try {
        while (at.recovered < pruning.recoveryEpochs) {
          if (signal?.aborted) throw new InterruptedError();
          at.loss = await trainEpoch(
            {
              network,
              sample: dataset.sample,
              cases: split.train,
              batch: training.batch,
              learningRate: training.learningRate,
              dropout,
              seed,
              key: ['prune', at.epochs + 1],
              signal,
              backlog,
            },
            at,
          );
          at.recovered++;
          at.epochs++;
          at.batches = 0;
          at.lossSum = 0;
          tick();
          await saveLater(backlog, folder, record, network, at);
        }
        if (signal?.aborted) throw new InterruptedError();
        const evaluate = (ids: readonly string[]): Promise<number[][]> =>
          evaluateCases(network, dataset.sample, ids, training.batch, signal, backlog);
        const cases = await evaluate(split.test);
        const validation =
          split.validation.length > 0 ? meanDice(await evaluate(split.validation)) : undefined;
        failpoint('evaluated');
        const scores =
          strategy.scores && channelsLeft(layers)
            ? await scoreChannels(criteria[run.criterion], {
                network,
                architecture,
                size: dataset.size,
                sample: dataset.sample,
                cases: split.train,
                batch: training.batch,
                scoring: pruning.scoring,
                dropout,
                seed,
                step: at.removals.length,
              })
            : undefined;
        failpoint('scored');
        const random = choiceStream(seed, at.removals.length);
        const choice = strategy.scores
          ? scores && strategy.choose(architecture, random, scores)
          : strategy.choose(architecture, random);
        weights = await network.readWeights();
        tick();

        const step = describeStep(at, dataset.size, total, meanDice(cases), validation);
        const best = at.best === undefined || step.testDice > at.best.testDice;
        if (best) at.best = step;
        if (validation !== undefined && (at.chosen?.validationDice ?? -1) < (validation[0] as number))
          at.chosen = step;
        at.below = step.testDice < pruning.collapse.floor ? at.below + 1 : 0;
        at.rows.push(stepRow(dataset.outputs, at, step, meanDice(cases), validation, choice));
        at.dropoutRows.push(...dropoutRows(layers, at.rates, step));
        const reached = pruning.snapshots
          .filter((percent) => step.channels <= (total * percent) / 100)
          .map(String)
          .filter((name) => at.snapshots[name] === undefined);
        for (const name of reached) at.snapshots[name] = step;
        const scored = scores !== undefined && reached.length > 0;
        if (scored) at.scoreRows.push(...scoreRows(layers, scores, choice, step));
        const stop =
          choice === undefined ? 'one-channel' : at.below >= pruning.collapse.steps ? 'collapse' : undefined;
        if (stop !== undefined) (at.rows.at(-1) as Record<string, unknown>)['stop'] = stop;
        const files: StepFiles = {
          step,
          weights,
          layers,
          testCases: split.test,
          cases,
          reached,
          best,
          validated: validation !== undefined,
          rows: [...at.rows],
          dropoutRows: [...at.dropoutRows],
          scoreRows: scored ? [...at.scoreRows] : undefined,
        };
        const lasting = lastingFiles(dataset.outputs, files);
        Object.assign(at.files, digestsOf(lasting));
        const [removed, line] = [at.removals.length, stepLine(step, at.stepSeconds)];
        const now = record;
        backlog.push(() => {
          writeStep(folder, now, files, lasting);
          report?.(removed, line);
        });
        at.stepSeconds = 0;
        if (stop !== undefined || choice === undefined) {
          catchUp(backlog);
          const last = casesText(dataset.outputs, split.test, cases);
          commitFile(join(folder, 'cases.csv'), last);
          writeTensors(join(folder, 'weights.safetensors'), weights, architecture, record);
          const result: PruningResult = {
            total,
            best: at.best as PruningStep,
            ...(at.chosen && { chosen: at.chosen }),
            snapshots: at.snapshots,
            final: step,
            stop: stop ?? 'one-channel',
            removals: at.removals,
          };
          const texts = { ...textsSoFar(layers), 'cases.csv': last };
          return finish({
            status: 'finished',
            testDice: meanDice(cases),
            pruning: result,
            files: { ...at.files, ...digestsOf(texts) },
          });
        }
        const removal: Removal = { layer: choice.layer.name, channel: choice.channel };
        const pruned = removeChannel(architecture, weights, removal);
        failpoint('removed');
        weights = pruned.weights;
        optimizer = undefined;
        at.architecture = pruned.architecture;
        at.removals.push(removal);
        at.recovered = 0;
        if (scores && pruning.dropout.targeted === 'rank-value')
          at.rates = rankValueRates(layers, scores, pruning.dropout.base);
      } catch (error) {
        tick();
        if (error instanceof InterruptedError) {
          await saveLater(backlog, folder, record, network, at);
          return finish({ status: 'interrupted' });
        }
        if (error instanceof DivergedError)
          return finish({
            status: 'diverged',
            divergedAt: `step ${at.removals.length}, ${error.message}`,
            files: { ...at.files, ...digestsOf(textsSoFar(layers)) },
          });
        throw error;
      } finally {
        signal?.removeEventListener('abort', interrupt);
        network.dispose();
      }
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

/** Adds the time since the last call to the run's and the step's seconds. */
function stopwatch(at: Progress): () => void {
  let began = performance.now();
  return () => {
    const seconds = (performance.now() - began) / 1000;
    began = performance.now();
    at.seconds += seconds;
    at.stepSeconds += seconds;
  };
}

function channelsLeft(layers: readonly { prunable: boolean; width: number }[]): boolean {
  return layers.some(({ prunable, width }) => prunable && width > 1);
}

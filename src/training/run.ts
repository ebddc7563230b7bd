// The training run, from its first epoch or its checkpoint to the last epoch. Trained models and retrained pruned
// architectures both use it.

import { join } from 'node:path';
import { augmentationSettings } from '../config/augmentation.js';
import { type Experiment } from '../config/schema.js';
import { type Network } from '../engine/engine.js';
import { totalChannels } from '../network/architecture.js';
import { commitFile, failpoint } from '../runs/commit.js';
import { csvText } from '../runs/csv.js';
import { type EpochRow, epochColumns } from '../runs/records.js';
import { type BestEpoch, type RunRecord } from '../runs/run.js';
import { sha256 } from '../sha256.js';
import { catchUp } from './backlog.js';
import { type EpochProgress, trainEpoch } from './epoch.js';
import { evaluateCases } from './evaluate.js';
import {
  type Ending,
  type Life,
  type Run,
  type RunContext,
  type RunProgress,
  contextOf,
  liveRun,
} from './life.js';
import { measureCases } from './measured.js';
import { meanDice } from './metrics.js';
import { originalDice } from './original-dice.js';
import { besidesOf, casesText, diceCells, encodeModel, saveLater } from './outputs.js';
import { FILES } from '../runs/folders.js';
import { learningRateAt } from './schedule.js';

export interface TrainingRun extends Run {
  readonly epochs: number;
}

export interface TrainingOptions {
  /** Called after each epoch when its files are on disk. */
  readonly progress?: (epoch: number, detail: string) => void;
}

interface Progress extends EpochProgress, RunProgress {
  /** Epochs completed. */
  epoch: number;
  /** The epoch with the largest validation Dice so far, the earlier of equal ones. */
  best?: BestEpoch;
  rows: EpochRow[];
}

/** Trains a network to its last epoch. Resolves and rejects as `liveRun` does. */
export function trainRun(
  shared: RunContext,
  run: TrainingRun,
  { progress: report }: TrainingOptions = {},
): Promise<RunRecord> {
  const context = contextOf(shared, run);
  return liveRun<Progress>(context, run, {
    begin: () => ({ epoch: 0, batches: 0, lossSum: 0, seconds: 0, partSeconds: 0, rows: [], files: {} }),
    work: (life) => trainToTheEnd(context, run, life, report),
    place: (at) => `epoch ${at.epoch + 1}`,
    digests: (at) => ({ ...at.files, [FILES.epochs]: sha256(epochsText(context, run, at.rows)) }),
  });
}

async function trainToTheEnd(
  context: RunContext,
  run: TrainingRun,
  life: Life<Progress>,
  report: TrainingOptions['progress'],
): Promise<Ending> {
  const { at, backlog, record, resumed } = life;
  const { folder, architecture, split } = run;
  const { outputs } = context.dataset;
  const writeEpochs = (rows: readonly EpochRow[]): void =>
    commitFile(join(folder, FILES.epochs), epochsText(context, run, rows));
  // The process may have been killed between the checkpoint and its rows.
  if (resumed) writeEpochs(at.rows);
  return life.withNetwork(architecture, life.weights, life.optimizer, async (network) => {
    while (at.epoch < run.epochs && !ranOutOfPatience(context.config, at)) {
      const line = await trainOneEpoch(context, run, life, network);
      if (at.best?.epoch === at.epoch) await keepBestLater(context, run, life, network);
      await saveLater(backlog, folder, record, network, at);
      const [rows, epoch] = [[...at.rows], at.epoch];
      backlog.push(() => {
        writeEpochs(rows);
        report?.(epoch, line);
      });
    }
    const dice = await evaluateCases(network, split.test, context, backlog);
    const besides = {
      original: await originalDice(network, record, split.test, context),
      measured: await measureCases(network, split.test, context),
    };
    const cases = casesText(outputs, split.test, dice, besides);
    at.files[FILES.cases] = sha256(cases);
    catchUp(backlog);
    commitFile(join(folder, FILES.cases), cases);
    const model = encodeModel(context.dataset, record, {
      architecture,
      weights: await network.readWeights(),
    });
    at.files[FILES.model] = sha256(model);
    commitFile(join(folder, FILES.model), model);
    life.tick();
    failpoint('ended');
    return {
      testDice: meanDice(dice),
      ...(at.best && { best: at.best }),
      ...(at.epoch < run.epochs && { stoppedAt: at.epoch }),
      ...besidesOf(besides),
    };
  });
}

/** Whether the validation Dice has not risen for `training.patience` epochs. */
function ranOutOfPatience({ training: { patience } }: Experiment, { epoch, best }: Progress): boolean {
  return patience > 0 && best !== undefined && epoch - best.epoch >= patience;
}

/** Queues best.safetensors for writing: before the checkpoint that names it, so that a run that resumes has it. */
async function keepBestLater(
  { dataset }: RunContext,
  { folder, architecture }: TrainingRun,
  { at, backlog, record }: Life<Progress>,
  network: Network,
): Promise<void> {
  const model = encodeModel(dataset, record, { architecture, weights: await network.readWeights() });
  at.files[FILES.bestModel] = sha256(model);
  backlog.push(() => commitFile(join(folder, FILES.bestModel), model));
}

/** Trains and evaluates one epoch; returns a line for progress. */
async function trainOneEpoch(
  context: RunContext,
  run: TrainingRun,
  { at, backlog, tick }: Life<Progress>,
  network: Network,
): Promise<string> {
  const { training } = context.config;
  const { split, epochs } = run;
  const epoch = at.epoch + 1;
  const settings = {
    network,
    dataset: context.dataset,
    patch: training.patch,
    augmentation: augmentationSettings(training),
    cases: split.train,
    batch: training.batch,
    learningRate: learningRateAt(training, epoch, epochs),
    dropout: new Float64Array(totalChannels(run.architecture)).fill(training.dropout),
    seed: run.seed,
    key: [run.kind, epoch],
    signal: context.signal,
    backlog,
  };
  const loss = await trainEpoch(settings, at);
  const due = epoch % training.evaluateEvery === 0 || epoch === epochs;
  const diceOn = async (cases: readonly string[]): Promise<number[] | undefined> =>
    due && cases.length > 0 ? meanDice(await evaluateCases(network, cases, context, backlog)) : undefined;
  const test = await diceOn(split.test);
  const validation = await diceOn(split.validation);
  tick();
  at.rows.push(epochRow(context.dataset.outputs, epoch, loss, test, validation, at.partSeconds));
  Object.assign(at, { epoch, partSeconds: 0, batches: 0, lossSum: 0 });
  if (test && validation && (validation[0] as number) > (at.best?.validationDice[0] ?? -1))
    at.best = { epoch, validationDice: validation, testDice: test };
  return `loss ${loss.toFixed(4)}${test ? `  Dice ${(test[0] as number).toFixed(4)}` : ''}`;
}

function epochRow(
  labels: readonly string[],
  epoch: number,
  loss: number,
  test: readonly number[] | undefined,
  validation: readonly number[] | undefined,
  seconds: number,
): EpochRow {
  return {
    epoch,
    train_loss: loss,
    ...diceCells('test', labels, test),
    ...diceCells('validation', labels, validation),
    seconds: Number(seconds.toFixed(3)),
  };
}

/** The text of epochs.csv. */
function epochsText({ dataset }: RunContext, { split }: TrainingRun, rows: readonly EpochRow[]): string {
  return csvText(epochColumns(dataset.outputs, split.validation.length > 0), rows);
}

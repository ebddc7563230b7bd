// The pruning run: train the recovery epochs, evaluate, score, choose a channel, record the step, remove the channel; until
// every layer has one channel or the network has collapsed.
//
// Work that can be repeated with the same bits is not stored: a checkpoint is written after every epoch, and a run that is
// killed while it evaluates, scores or removes repeats this from the last checkpoint. The backlog writes the files of a step
// before the checkpoint of the next epoch, so every step that a checkpoint counts is on disk.

import { join } from 'node:path';
import { augmentationSettings } from '../config/augmentation.js';
import { InterruptedError, type Network } from '../engine/engine.js';
import { listLayers } from '../network/architecture.js';
import { type Removal, prunableChannels, removeChannel } from '../network/surgery.js';
import { type Weights } from '../network/weights.js';
import { commitFile, failpoint } from '../runs/commit.js';
import { type PruningResult, type PruningStep, type RunRecord } from '../runs/run.js';
import { catchUp } from '../training/backlog.js';
import { trainEpoch } from '../training/epoch.js';
import { evaluateCases } from '../training/evaluate.js';
import { type Ending, type Life, type Run, type RunContext, contextOf, liveRun } from '../training/life.js';
import { measureCases } from '../training/measured.js';
import { meanDice } from '../training/metrics.js';
import { originalDice } from '../training/original-dice.js';
import { type Besides, besidesOf, casesText, encodeModel, saveLater } from '../training/outputs.js';
import { type CriterionName, criteria } from './criteria/index.js';
import { type Scores } from './criteria/criterion.js';
import { channelRates, rankValueRates } from './dropout.js';
import { type StepFiles, digestsOf, growingFiles, lastingFiles, writeStep } from './outputs.js';
import { type Progress, firstProgress, newSnapshots, stepsBelow } from './progress.js';
import { choiceStream } from './schedule.js';
import { scoreChannels } from './score.js';
import { type StrategyName, strategies } from './strategies/index.js';
import { type Choice } from './strategies/strategy.js';
import { describeStep, dropoutRows, scoreRows, stepLine, stepRow } from './steps.js';
import { FILES } from '../runs/folders.js';

export interface PruningRun extends Omit<Run, 'kind'> {
  readonly strategy: StrategyName;
  readonly criterion: CriterionName;
}

export interface PruningOptions {
  /** Called after each step when its files are on disk, with the number of channels removed. */
  readonly progress?: (removed: number, detail: string) => void;
}

/** Measurements of a network before it loses a channel. */
interface Findings {
  readonly weights: Weights;
  /** Dice of each test case and label. */
  readonly cases: readonly (readonly number[])[];
  /** Dice on the validation cases, if there are any: mean, then by label. */
  readonly validation: readonly number[] | undefined;
  readonly scores: Scores | undefined;
  readonly choice: Choice | undefined;
  /** The snapshots that this network is the first to reach, as percentages. */
  readonly reached: readonly string[];
  /** Why the run ends with this network; undefined if it goes on. */
  readonly stop: PruningResult['stop'] | undefined;
  /** What else is measured of the test cases, at snapshots and at the end. */
  readonly besides: Besides;
}

/** Prunes a network to its end. Resolves and rejects as `liveRun` does. */
export function pruneRun(
  shared: RunContext,
  run: PruningRun,
  { progress: report }: PruningOptions = {},
): Promise<RunRecord> {
  const context = contextOf(shared, run);
  return liveRun<Progress>(
    context,
    { ...run, kind: 'prune' },
    {
      begin: () => firstProgress(run.architecture, context.config.pruning.dropout.initial),
      work: (life) => pruneToTheEnd(context, run, life, report),
      place: (at) => `step ${at.removals.length}`,
      digests: (at) => ({
        ...at.files,
        ...(at.rows.length > 0 && digestsOf(growingFiles(context.dataset.outputs, rowsOf(run, at)))),
      }),
    },
  );
}

async function pruneToTheEnd(
  context: RunContext,
  run: PruningRun,
  life: Life<Progress>,
  report: PruningOptions['progress'],
): Promise<Ending> {
  const { at } = life;
  let { weights, optimizer } = life;
  for (;;) {
    const found = await life.withNetwork(at.architecture, weights, optimizer, async (network) => {
      await recover(context, run, life, network);
      return examine(context, run, life, network);
    });
    life.tick();
    const step = recordStep(context, run, life, found, report);
    if (found.choice === undefined || found.stop !== undefined)
      return endAt(context, run, life, found, step, found.stop ?? 'one-channel');
    ({ weights } = removeChosen(context.config.pruning.dropout, at, found, found.choice));
    optimizer = undefined;
  }
}

/** The dropout rate of each channel in this step. */
function dropoutOf(at: Progress): Float64Array {
  return channelRates(
    at.rates,
    listLayers(at.architecture).map(({ width }) => width),
  );
}

/** Trains the remaining recovery epochs of the step. */
async function recover(
  { config: { pruning, training }, dataset, signal }: RunContext,
  run: PruningRun,
  { at, backlog, record, tick }: Life<Progress>,
  network: Network,
): Promise<void> {
  const dropout = dropoutOf(at);
  while (at.recovered < pruning.recoveryEpochs) {
    const settings = {
      network,
      dataset,
      patch: training.patch,
      augmentation: augmentationSettings(training),
      cases: run.split.train,
      batch: training.batch,
      learningRate: training.learningRate,
      dropout,
      seed: run.seed,
      key: ['prune', at.epochs + 1],
      signal,
      backlog,
    };
    at.loss = await trainEpoch(settings, at);
    at.recovered++;
    at.epochs++;
    at.batches = 0;
    at.lossSum = 0;
    tick();
    await saveLater(backlog, run.folder, record, network, at);
  }
}

/** Evaluates a network, scores its channels and chooses the one to remove. */
async function examine(
  context: RunContext,
  run: PruningRun,
  { at, backlog, record }: Life<Progress>,
  network: Network,
): Promise<Findings> {
  const { strategy: name, criterion, split, seed } = run;
  const { config, dataset, signal } = context;
  const { architecture } = at;
  const step = at.removals.length;
  const strategy = strategies[name];
  const cases = await evaluateCases(network, split.test, context, backlog);
  const validation =
    split.validation.length > 0
      ? meanDice(await evaluateCases(network, split.validation, context, backlog))
      : undefined;
  failpoint('evaluated');
  if (signal?.aborted) throw new InterruptedError();
  const scores =
    strategy.scores && listLayers(architecture).some(({ prunable, width }) => prunable && width > 1)
      ? await scoreChannels(criteria[criterion], {
          network,
          architecture,
          size: dataset.size,
          dataset,
          cases: split.train,
          batch: config.training.batch,
          patch: config.training.patch,
          scoring: config.pruning.scoring,
          dropout: dropoutOf(at),
          seed,
          step,
        })
      : undefined;
  failpoint('scored');
  const random = choiceStream(seed, step);
  const choice = strategy.scores
    ? scores && strategy.choose(architecture, random, scores)
    : strategy.choose(architecture, random);
  const reached = newSnapshots(config, run.architecture, at);
  const stop =
    choice === undefined
      ? 'one-channel'
      : stepsBelow(config, at, meanDice(cases)[0] as number) >= config.pruning.collapse.steps
        ? 'collapse'
        : undefined;
  const besides =
    reached.length > 0 || stop !== undefined
      ? {
          original: await originalDice(network, record, split.test, context),
          measured: await measureCases(network, split.test, context),
        }
      : {};
  const weights = await network.readWeights();
  return { weights, cases, validation, scores, choice, reached, stop, besides };
}

/** Adds a step to the rows and snapshots of the run and queues its files for writing. */
function recordStep(
  { config, dataset }: RunContext,
  run: PruningRun,
  { at, backlog, record }: Life<Progress>,
  { weights, cases, validation, scores, choice, reached, stop, besides }: Findings,
  report: PruningOptions['progress'],
): PruningStep {
  const { outputs, size } = dataset;
  const layers = listLayers(at.architecture);
  const total = prunableChannels(run.architecture);
  const step = describeStep(at, size, total, meanDice(cases), validation);
  const best = at.best === undefined || step.testDice > at.best.testDice;
  if (best) at.best = step;
  if (validation !== undefined && (at.chosen?.validationDice ?? -1) < (validation[0] as number))
    at.chosen = step;
  at.below = stepsBelow(config, at, step.testDice);
  at.rows.push({ ...stepRow(outputs, at, step, meanDice(cases), validation, choice), stop });
  at.dropoutRows.push(...dropoutRows(layers, at.rates, step));
  for (const name of reached) at.snapshots[name] = { ...step, ...besidesOf(besides) };
  const scored = scores !== undefined && reached.length > 0;
  if (scored) at.scoreRows.push(...scoreRows(layers, scores, choice, step));
  const files: StepFiles = {
    ...rowsOf(run, at),
    step,
    testCases: run.split.test,
    cases,
    besides,
    snapshots: Object.fromEntries(
      reached.map((percent) => {
        const snapshot = { percent, step: step.step };
        return [percent, encodeModel(dataset, record, { architecture: at.architecture, weights, snapshot })];
      }),
    ),
    best,
    scoreRows: scored ? [...at.scoreRows] : undefined,
  };
  const lasting = lastingFiles(outputs, files);
  Object.assign(at.files, digestsOf(lasting));
  const [removed, line] = [at.removals.length, stepLine(step, at.partSeconds)];
  backlog.push(() => {
    writeStep(run.folder, record, files, lasting);
    report?.(removed, line);
  });
  at.partSeconds = 0;
  return step;
}

/** The current rows of the files that grow with every step. */
function rowsOf(
  { split }: PruningRun,
  at: Progress,
): Pick<StepFiles, 'validated' | 'layers' | 'rows' | 'dropoutRows'> {
  return {
    validated: split.validation.length > 0,
    layers: listLayers(at.architecture),
    rows: [...at.rows],
    dropoutRows: [...at.dropoutRows],
  };
}

/** Writes the final files of a run and returns its result. */
function endAt(
  { dataset }: RunContext,
  { folder, split, architecture }: PruningRun,
  { at, backlog, record }: Life<Progress>,
  { weights, cases, besides }: Findings,
  final: PruningStep,
  stop: PruningResult['stop'],
): Ending {
  const files = {
    [FILES.cases]: casesText(dataset.outputs, split.test, cases, besides),
    [FILES.model]: encodeModel(dataset, record, { architecture: at.architecture, weights }),
  };
  Object.assign(at.files, digestsOf(files));
  catchUp(backlog);
  for (const [name, content] of Object.entries(files)) commitFile(join(folder, name), content);
  return {
    testDice: meanDice(cases),
    pruning: {
      total: prunableChannels(architecture),
      best: at.best as PruningStep,
      ...(at.chosen && { chosen: at.chosen }),
      snapshots: at.snapshots,
      final: { ...final, ...besidesOf(besides) },
      stop,
      removals: at.removals,
    },
  };
}

/** Removes the chosen channel from the network and computes the dropout rates of the next step from the scores. */
function removeChosen(
  dropout: RunContext['config']['pruning']['dropout'],
  at: Progress,
  { weights, scores }: Findings,
  choice: Choice,
): { weights: Weights } {
  const layers = listLayers(at.architecture);
  const removal: Removal = { layer: choice.layer.name, channel: choice.channel };
  const pruned = removeChannel(at.architecture, weights, removal);
  failpoint('removed');
  at.architecture = pruned.architecture;
  at.removals.push(removal);
  at.recovered = 0;
  if (scores && dropout.targeted === 'rank-value') at.rates = rankValueRates(layers, scores, dropout.base);
  return pruned;
}

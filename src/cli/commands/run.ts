// `lunet run`: does all runs that the config of an experiment describes, then the report.

import { spawn } from 'node:child_process';
import { Command, Option } from 'commander';
import { type Experiment } from '../../config/schema.js';
import { loadDataset } from '../../data/dataset.js';
import { createEstimator } from '../../engine/index.js';
import { physicalCores } from '../../engine/native/cores.js';
import { EXIT, type FailureKind, UserError } from '../../errors.js';
import { runMultiplyAdds } from '../../experiment/estimate.js';
import { keepConfig } from '../../experiment/kept-config.js';
import { type Failure, LUNET, runLocally, supervised } from '../../experiment/local.js';
import { type Task, planExperiment } from '../../experiment/tasks.js';
import { submit } from '../../experiment/slurm.js';
import { isOver, requireSameSettings, taskState } from '../../experiment/state.js';
import { type RunRecord } from '../../runs/run.js';
import { splitSizes } from '../../data/split-sizes.js';
import { requireMemory } from '../../training/memory.js';
import { duration } from '../terminal/duration.js';
import { openExperiment } from '../experiment-file.js';
import { addExamples } from '../help.js';
import { interruptSignal } from '../terminal/interrupt.js';
import {
  configArgument,
  engineOption,
  isaOption,
  jsonOption,
  parseCount,
  setOption,
  threadsOption,
} from '../options.js';
import { type Given, nextCommand } from '../next.js';
import { modelsOf, showPlan } from '../run-preview.js';
import { startProgress } from '../terminal/progress.js';
import { showReport } from './report.js';
import { note, paint, print, printJson, warn } from '../terminal/output.js';
import { formatTable } from '../terminal/table.js';

interface Options {
  readonly set: string[];
  readonly dryRun?: boolean;
  readonly jobs: number;
  readonly executor: 'local' | 'slurm';
  readonly sbatch: string[];
  readonly engine: string;
  readonly isa?: string;
  readonly threads?: number;
  readonly json?: boolean;
}

/** The shortest time between two reports while runs finish. */
const REFRESH_MS = 60_000;

export const command = addExamples(
  new Command('run')
    .description(
      'Trains all models, prunes with all strategies, retrains all snapshots, for every split and seed, then reports. ' +
        'If started again, it resumes unfinished runs; finished runs are never repeated.',
    )
    .addArgument(configArgument())
    .addOption(setOption())
    .option('-n, --dry-run', 'list the runs, with time (from a short measurement) and disk space')
    .addOption(
      new Option('-j, --jobs <count>', 'runs at a time, each in a separate process; they share the threads')
        .default(1)
        .argParser((value: string) => parseCount(value, 1024)),
    )
    .addOption(
      new Option('--executor <name>', 'where the runs are done').choices(['local', 'slurm']).default('local'),
    )
    .addOption(
      new Option('--sbatch <options>', 'options passed on to sbatch, such as --partition=cpu (repeatable)')
        .default([], 'none')
        .argParser((value: string, previous: readonly string[]) => [
          ...previous,
          ...value.split(/\s+/).filter((word) => word !== ''),
        ]),
    )
    .addOption(engineOption())
    .addOption(isaOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(async (path: string | undefined, options: Options) => {
      const { config, source } = openExperiment(path, options.set);
      if (options.sbatch.length > 0 && options.executor !== 'slurm')
        throw new UserError('usage', '--sbatch: works only with --executor slurm');
      const tasks = planExperiment(config);
      requireSameSettings(config, tasks);
      const open = tasks.filter((task) => !isOver(taskState(task).state));
      if (options.dryRun) await showPlan(config, source, tasks, open, options);
      else if (options.executor === 'slurm')
        await submitAll(config, source, tasks, open, options, { path, set: options.set });
      else await runExperiment(config, source, tasks, open, options);
    }),
  [
    ['the complete shipped default experiment, or ./lunet.yaml', 'lunet run'],
    ['what it would do, with time and disk space', 'lunet run hippocampus --dry-run'],
    ['four runs at a time', 'lunet run --jobs 4'],
    [
      'on a cluster',
      "lunet run --executor slurm --threads 8 --sbatch '--partition=cpu --time=12:00:00' --sbatch --mem=8G",
    ],
  ],
);

async function submitAll(
  config: Experiment,
  source: string,
  tasks: readonly Task[],
  open: readonly Task[],
  { sbatch, threads, engine, isa, json }: Options,
  given: Given,
): Promise<void> {
  // Build the engine now: nodes that find it in a shared folder need no compiler. Other nodes build it themselves.
  if (open.length > 0 && ['auto', 'native'].includes(engine))
    await createEstimator('auto', { warn, say: note });
  const submissions = submit(config, tasks, open, {
    sbatch,
    threads: threads ?? 2,
    engine: engineWords(engine, isa),
  });
  if (json) printJson({ source, submissions });
  else if (submissions.length === 0)
    note(
      open.length === 0
        ? `Nothing to do: all ${tasks.length} runs are done.`
        : `Nothing to submit: all ${open.length} open runs are in the queue.`,
    );
  else
    print(
      formatTable(
        [{ title: 'Job' }, { title: 'What' }, { title: 'Runs', align: 'right' }],
        submissions.map(({ kind, job, runs }) => [job, kind, String(runs)]),
      ),
    );
  if (!json) note(`\nNext: ${nextCommand('status', [], given)}`);
}

async function runExperiment(
  config: Experiment,
  source: string,
  tasks: readonly Task[],
  open: readonly Task[],
  options: Options,
): Promise<void> {
  const signal = interruptSignal();
  const done = tasks.length - open.length;
  const failures = new Map<Task, Failure>();
  if (open.length === 0) note(`Nothing to do: all ${done} runs are done.`);
  else {
    if (done > 0) note(`${done} of ${tasks.length} runs are done already.`);
    const { engine, threads } = options;
    // Reports problems of engine and data once; afterwards each run finds the engine built and the cases prepared.
    const estimator = await createEstimator(engine, { threads, warn, say: note, signal });
    await requireMemory(config, estimator, modelsOf(config, open), {
      jobs: Math.min(options.jobs, open.length),
    });
    const { warnings } = await loadDataset(config, { signal });
    warnings.forEach(warn);
    await runWithProgress(config, tasks, open, options, signal, failures);
  }
  signal.throwIfAborted();
  if (tasks.some((task) => taskState(task).record !== undefined)) await showReport(config, source, options);
  const codes = new Set([...failures.values()].map(({ code }) => code));
  if (failures.size > 0)
    throw new UserError(
      codes.size === 1 && failures.size === open.length ? kindOf([...codes][0]) : 'failed',
      `${failures.size} of ${tasks.length} runs failed\n` +
        [...failures].map(([{ id }, { message }]) => `  ${id}: ${message}`).join('\n'),
    );
}

/** The kind of failure that an exit code stands for. */
function kindOf(code: number | undefined): FailureKind {
  const [kind] = Object.entries(EXIT).find(([name, value]) => value === code && name !== 'done') ?? [];
  return (kind ?? 'failed') as FailureKind;
}

async function runWithProgress(
  config: Experiment,
  tasks: readonly Task[],
  open: readonly Task[],
  { jobs, threads, engine, isa }: Options,
  signal: AbortSignal,
  failures: Map<Task, Failure>,
): Promise<void> {
  const each = Math.max(1, Math.floor((threads ?? physicalCores()) / jobs));
  const sizes = await splitSizes(config);
  const work = new Map(open.map((task) => [task, runMultiplyAdds(config, task, sizes)]));
  const all = [...work.values()].reduce((sum, value) => sum + value, 0);
  const shares = new Map<Task, number>();
  const details = new Map<Task, string>();
  const began = performance.now();
  let ended = tasks.length - open.length;
  const bar = process.stderr.isTTY
    ? startProgress(config.experiment, 1000, '%', { vanish: true })
    : { update: () => undefined, stop: () => undefined };
  const reached = (): number =>
    open.reduce((sum, task) => sum + (shares.get(task) ?? 0) * (work.get(task) as number), 0) / all;
  const show = (): void =>
    bar.update(
      Math.floor(1000 * reached()),
      `${ended}/${tasks.length} runs  ${[...details].map(([{ id }, text]) => `${id} ${text}`).join('  ')}`,
    );
  const kept = keepConfig(config);
  const refresh = refresher(kept);
  await runLocally(
    config,
    open,
    { jobs, argv: [kept, ...engineWords(engine, isa), '--threads', String(each)], signal },
    {
      progress: (task, { done, total, detail }) => {
        shares.set(task, done / total);
        details.set(task, `${done}/${total}${process.stderr.isTTY ? '' : ` ${detail}`}`);
        show();
      },
      ended: (task, failure) => {
        shares.set(task, 1);
        details.delete(task);
        ended++;
        const { record, state } = taskState(task);
        if (failure) failures.set(task, failure);
        const left = ((performance.now() - began) / 1000) * (1 / reached() - 1);
        note(
          `${ended}/${tasks.length} ${task.id}: ` +
            (failure
              ? failure.code === EXIT.interrupted
                ? failure.message
                : paint('red', `failed: ${failure.message.split('\n')[0]}`, process.stderr)
              : state === 'unreachable'
                ? 'not done: its pruning run ended before this snapshot'
                : record && `${outcome(record)}, ${duration(record.seconds)}`) +
            (ended < tasks.length && !process.stderr.isTTY ? `; about ${duration(left)} left` : ''),
        );
        show();
        if (!failure) refresh();
      },
    },
  ).finally(() => bar.stop());
}

/** The result of a run in a few words. */
function outcome({ testDice, pruning }: RunRecord): string {
  if (pruning === undefined) return `Dice ${(testDice?.[0] ?? NaN).toFixed(4)}`;
  const { best, final } = pruning;
  const share = (100 * best.fraction).toFixed(0);
  return `Dice ≤ ${best.testDice.toFixed(4)} at ${share} % of channels, ${final.testDice.toFixed(4)} at the end`;
}

/** The options for the engine in the command line of a run. */
function engineWords(engine: string, isa: string | undefined): string[] {
  return ['--engine', engine, ...(isa === undefined ? [] : ['--isa', isa])];
}

/** Updates the report in a separate process, unless it was updated a moment ago. */
function refresher(kept: string): () => void {
  let last = performance.now();
  return () => {
    if (performance.now() - last < REFRESH_MS) return;
    last = performance.now();
    // If this fails, the report at the end shows the error.
    const child = spawn(process.execPath, [LUNET, 'report', kept], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: supervised(),
    });
    child.on('error', () => undefined);
    // This process need not wait for it.
    child.unref();
    child.channel?.unref();
  };
}

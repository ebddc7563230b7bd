// Submits the runs of an experiment to Slurm: a job array for training, one for pruning, one for retraining after pruning,
// and a job for the report after all of them. A run in the queue is identified by the name of its array, which contains the
// digest of the kept config, and by its index in the plan of that config.

import { spawnSync } from 'node:child_process';
import { basename, dirname, join, resolve } from 'node:path';
import { loadExperiment } from '../config/load.js';
import { type Experiment } from '../config/schema.js';
import { UserError } from '../errors.js';
import { quoteWord } from '../quote-word.js';
import { commitFile, makeFolder } from '../runs/commit.js';
import { experimentFolder, type RunKind } from '../runs/folders.js';
import { sha256 } from '../sha256.js';
import { keepConfig, keptConfigs } from './kept-config.js';
import { LUNET } from './local.js';
import { type Task, planExperiment } from './tasks.js';
import { ATTEMPT, logFile } from './state.js';

const KINDS: readonly RunKind[] = ['train', 'prune', 'retrain'];

export interface SlurmOptions {
  /** Options from the user for sbatch; they come after those of lunet. */
  readonly sbatch: readonly string[];
  /** Processors of each run. */
  readonly threads: number;
  /** Command line options that choose the engine. */
  readonly engine: readonly string[];
}

/** A job in the queue. */
export interface QueuedJob {
  readonly job: string;
  readonly state: 'waiting' | 'running';
}

export interface Submission {
  readonly kind: RunKind | 'report';
  readonly job: string;
  readonly runs: number;
}

/** Runs of a kind in plan order; the position of a run in this list is its index in the array. */
function ofKind(tasks: readonly Task[], kind: RunKind): Task[] {
  return tasks.filter((task) => task.kind === kind);
}

/** The Slurm name of an array: unique for the experiment and the kept config. */
function jobName(config: Experiment, kind: RunKind | 'report', kept: string): string {
  const folder = sha256(resolve(experimentFolder(config))).slice(0, 10);
  return `lunet-${kind}-${folder}_${basename(kept, '.yaml')}`;
}

/**
 * The runs of an experiment that are in the queue, by id, even if its config has changed since they were submitted. Throws a
 * UserError of kind `failed` if Slurm does not answer.
 */
export function queuedRuns(config: Experiment): Map<string, QueuedJob> {
  const arrays = new Map(
    keptConfigs(config).flatMap((kept) =>
      KINDS.map((kind) => [jobName(config, kind, kept), { kind, kept }] as const),
    ),
  );
  const queued = new Map<string, QueuedJob>();
  // Asked even if nothing was submitted: a submission must know whether Slurm answers.
  const text = slurm('squeue', [
    '--noheader',
    '--array',
    `--name=${arrays.size > 0 ? [...arrays.keys()].join(',') : 'none-of-lunet'}`,
    '--states=PENDING,CONFIGURING,RUNNING,SUSPENDED,COMPLETING',
    '--format=%j %F %K %T',
  ]);
  const plans = new Map<string, Task[]>();
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const [name, job, index, state] = line.trim().split(/\s+/) as [string, string, string, string];
    const array = arrays.get(name);
    if (array === undefined) continue;
    const plan = plans.get(array.kept) ?? planExperiment(loadExperiment(array.kept).config);
    plans.set(array.kept, plan);
    const task = ofKind(plan, array.kind)[Number(index)];
    if (task) queued.set(task.id, { job, state: state === 'PENDING' ? 'waiting' : 'running' });
  }
  return queued;
}

/** Whether Slurm's commands are installed; its controller need not answer. */
export function slurmIsHere(): boolean {
  return (
    spawnSync('squeue', ['--version'], { timeout: PATIENCE_MS.squeue, killSignal: 'SIGKILL' }).status === 0
  );
}

/**
 * Submits the runs in `open`, and a report job that waits for all queued runs. Throws a UserError of kind `failed` with
 * Slurm's message if Slurm refuses.
 */
export function submit(
  config: Experiment,
  tasks: readonly Task[],
  open: readonly Task[],
  { sbatch, threads, engine }: SlurmOptions,
): Submission[] {
  const queued = queuedRuns(config);
  const wanted = new Set(open.map(({ id }) => id).filter((id) => !queued.has(id)));
  const before = new Map<RunKind, Set<string>>(
    KINDS.map((kind) => [kind, new Set(ofKind(tasks, kind).flatMap(({ id }) => queued.get(id)?.job ?? []))]),
  );
  const submissions: Submission[] = [];
  const kept = wanted.size > 0 ? keepConfig(config) : '';
  const folder = join(experimentFolder(config), 'slurm');
  makeFolder(folder);
  const send = (
    kind: RunKind | 'report',
    script: string,
    options: readonly string[],
    runs: number,
  ): string => {
    const path = join(folder, `${kind}.sh`);
    commitFile(path, script);
    const words = [
      '--parsable',
      `--job-name=${jobName(config, kind, kept)}`,
      // For messages of Slurm, such as that a job ran out of time; the runs write to their own logs.
      `--output=${join(resolve(folder), kind === 'report' ? 'report-%j.out' : `${kind}-%A_%a.out`)}`,
      ...options,
      ...sbatch,
      path,
    ];
    const job = slurm('sbatch', words).trim().split(';')[0] as string;
    submissions.push({ kind, job, runs });
    return job;
  };
  for (const kind of KINDS) {
    const mine = ofKind(tasks, kind);
    const indices = mine.flatMap(({ id }, i) => (wanted.has(id) ? [i] : []));
    if (indices.length === 0) continue;
    const after = kind === 'retrain' ? [...(before.get('prune') as Set<string>)] : [];
    const job = send(
      kind,
      arrayScript(config, mine, indices, [kept, ...engine]),
      [
        `--array=${ranges(indices)}`,
        `--cpus-per-task=${threads}`,
        // Also after a failure: the pruning runs that succeeded can be retrained.
        ...(after.length > 0 ? [`--dependency=afterany:${after.join(':')}`] : []),
      ],
      indices.length,
    );
    before.get(kind)?.add(job);
  }
  const all = KINDS.flatMap((kind) => [...(before.get(kind) as Set<string>)]);
  if (submissions.length > 0)
    send('report', reportScript(config, kept), [`--dependency=afterany:${all.join(':')}`], 1);
  return submissions;
}

/** Paths in a config are relative to the folder of submission, even with --chdir. The config contains the output folder. */
const head = (): string => `#!/bin/bash
# Written by lunet run --executor slurm.
export LUNET_THREADS="\${SLURM_CPUS_PER_TASK:-1}"
unset LUNET_OUTPUT
cd ${quoteWord(process.cwd())} || exit
`;

/** The script of an array: for each index one command line and its log. */
function arrayScript(
  config: Experiment,
  tasks: readonly Task[],
  indices: readonly number[],
  argv: readonly string[],
): string {
  const cases = indices.map((index) => {
    const task = tasks[index] as Task;
    const log = resolve(logFile(config, task));
    makeFolder(dirname(log));
    return `  ${index}) log=${quoteWord(log)}; set -- ${[...task.argv, ...argv].map(quoteWord).join(' ')} ;;`;
  });
  return `${head()}case "$SLURM_ARRAY_TASK_ID" in
${cases.join('\n')}
  *) echo "no run has the index $SLURM_ARRAY_TASK_ID" >&2; exit 2 ;;
esac
printf '\\n${ATTEMPT}%s\\n' "$*" >>"$log"
exec ${quoteWord(process.execPath)} ${quoteWord(LUNET)} "$@" >>"$log" 2>&1
`;
}

function reportScript(config: Experiment, kept: string): string {
  const line = ['report', kept];
  return `${head()}find ${quoteWord(resolve(experimentFolder(config), 'slurm'))} -name '*.out' -empty -delete
exec ${quoteWord(process.execPath)} ${quoteWord(LUNET)} ${line.map(quoteWord).join(' ')}
`;
}

/** 0, 1, 2, 5 as `0-2,5`. */
function ranges(indices: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const index of indices) {
    const last = parts.at(-1);
    if (last && last[1] === index - 1) last[1] = index;
    else parts.push([index, index]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}

/** Time limit for answers of Slurm. Long for a submission: after a timeout it is unknown whether the job exists. */
const PATIENCE_MS = { squeue: 15_000, sbatch: 300_000 };

function slurm(command: 'sbatch' | 'squeue', words: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    encoding: 'utf8',
    timeout: PATIENCE_MS[command],
    killSignal: 'SIGKILL',
    maxBuffer: 2 ** 28,
  });
  if (error && (error as NodeJS.ErrnoException).code === 'ETIMEDOUT')
    throw new UserError('failed', `${command}: no answer from Slurm in ${PATIENCE_MS[command] / 1000} s`);
  if (error && (error as NodeJS.ErrnoException).code === 'ENOENT')
    throw new UserError(
      'failed',
      `${command}: not found; --executor slurm must run where Slurm's commands are, such as a login node`,
    );
  if (status !== 0) {
    // The last line is the reason; earlier lines are details.
    const words = (stderr || error?.message || `exit code ${status}`).trim().split('\n').at(-1) as string;
    throw new UserError('failed', `${command}: ${words.replace(/^\w+: error: /, '')}`);
  }
  return stdout;
}

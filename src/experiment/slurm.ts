// Hands an experiment's runs to Slurm: a job array for training, one for pruning, one for retraining when pruning has
// ended, and a job for the report when all have. A run is known to the queue by its array's name, which tells the config
// that was kept at submission, and by its index in that config's plan.

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
  /** Options of the user for sbatch, after our own. */
  readonly sbatch: readonly string[];
  /** Processors of each run. */
  readonly threads: number;
  /** Words that name the engine. */
  readonly engine: readonly string[];
}

/** A job as the queue shows it. */
export interface QueuedJob {
  readonly job: string;
  readonly state: 'waiting' | 'running';
}

export interface Submission {
  readonly kind: RunKind | 'report';
  readonly job: string;
  readonly runs: number;
}

/** Runs of a kind in the plan's order: a run's place among them is its index in the array. */
function ofKind(tasks: readonly Task[], kind: RunKind): Task[] {
  return tasks.filter((task) => task.kind === kind);
}

/** Slurm's name for an array: this experiment's alone, and of one kept config. */
function jobName(config: Experiment, kind: RunKind | 'report', kept: string): string {
  const folder = sha256(resolve(experimentFolder(config))).slice(0, 10);
  return `lunet-${kind}-${folder}_${basename(kept, '.yaml')}`;
}

/**
 * Which of an experiment's runs are in the queue, by id, whatever has been done to its config since they were submitted.
 * Throws a UserError of kind `failed` if Slurm cannot be asked.
 */
export function queuedRuns(config: Experiment): Map<string, QueuedJob> {
  const arrays = new Map(
    keptConfigs(config).flatMap((kept) =>
      KINDS.map((kind) => [jobName(config, kind, kept), { kind, kept }] as const),
    ),
  );
  const queued = new Map<string, QueuedJob>();
  // Slurm is asked even if nothing was submitted: whether it can be is what a submission has to know.
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

/** Whether Slurm's commands are here, whether its controller answers or not. */
export function slurmIsHere(): boolean {
  return (
    spawnSync('squeue', ['--version'], { timeout: PATIENCE_MS.squeue, killSignal: 'SIGKILL' }).status === 0
  );
}

/**
 * Submits the runs in `open`, and a report behind everything that is queued then. Throws a UserError of kind `failed`
 * with Slurm's words if it refuses.
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
      // Slurm's own words, such as that a job ran out of time; the runs' are in their logs.
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
        // Also after a failure: retraining then goes on with what has been pruned.
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

/** Paths in a config are meant from where it was submitted, whatever --chdir says; where results go is in it. */
const head = (): string => `#!/bin/bash
# Written by lunet run --executor slurm.
export LUNET_THREADS="\${SLURM_CPUS_PER_TASK:-1}"
unset LUNET_OUTPUT
cd ${quoteWord(process.cwd())} || exit
`;

/** The script of an array: one command line for each index, with its own log. */
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

/** How long Slurm may take to answer. A submission is better waited for: nobody would know whether it was made. */
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
    // The last line is the reason; those before are details of it.
    const words = (stderr || error?.message || `exit code ${status}`).trim().split('\n').at(-1) as string;
    throw new UserError('failed', `${command}: ${words.replace(/^\w+: error: /, '')}`);
  }
  return stdout;
}

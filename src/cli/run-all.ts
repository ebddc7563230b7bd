// The flow that train, prune and retrain share: find the open runs, do them one by one with progress, show the final table,
// and report the runs that failed.

import { type Experiment, type ModelConfig } from '../config/schema.js';
import { UserError } from '../errors.js';
import { type ProgressMessage } from '../experiment/local.js';
import { type RunKind } from '../runs/folders.js';
import { type Identity, requireSameIdentity } from '../runs/identity.js';
import { type RunRecord, readRun } from '../runs/run.js';
import { type RunContext } from '../training/life.js';
import { type MissingRun } from '../pruning/snapshots.js';
import { interruptSignal } from './terminal/interrupt.js';
import { nextCommand } from './next.js';
import { startProgress } from './terminal/progress.js';
import { openSession, showSummary } from './session.js';
import { SUPERVISED } from '../experiment/supervision.js';
import { note, print, printJson, warn } from './terminal/output.js';

/** A run as planned by the commands. */
export interface Planned {
  readonly folder: string;
  readonly split: string;
  readonly method: string;
  readonly seed: number;
  readonly identity: Identity;
}

/** Options that all three commands have. */
export interface RunOptions {
  readonly set: string[];
  readonly seeds?: number[];
  readonly split?: string[];
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
  readonly engine: string;
  readonly isa?: string;
  readonly threads?: number;
  readonly json?: boolean;
}

/** A command and its runs. */
export interface RunCommand<T extends Planned> {
  readonly kind: RunKind;
  readonly config: Experiment;
  readonly source: string;
  readonly planned: readonly T[];
  readonly options: RunOptions;
  /** Models for which there must be enough memory. */
  readonly models: readonly ModelConfig[];
  /** The unit of progress, such as `epoch`; `total` is their number. */
  readonly unit: string;
  readonly total: (run: T, context: RunContext) => number;
  readonly execute: (
    run: T,
    context: RunContext,
    progress: (done: number, detail: string) => void,
  ) => Promise<RunRecord>;
  /** The config argument, if there was one. */
  readonly path: string | undefined;
  /** Requested runs that cannot be done: why, and whether they may become possible. */
  readonly missing?: readonly MissingRun[];
  /** The command to type next with its options, from the records of the runs. */
  readonly next: (records: readonly RunRecord[]) => readonly [command: string, ...options: string[]];
}

/** Does all open runs of a command and shows the results. Throws a UserError if a run failed or after an interruption. */
export async function runAll<T extends Planned>(command: RunCommand<T>): Promise<void> {
  const { kind, config, source, planned, options, path, missing = [], next } = command;
  const later = missing.filter(({ ended }) => !ended);
  for (const { reason } of missing.filter(({ ended }) => ended)) warn(`not done: ${reason}`);
  const foreign = options.seeds?.filter((seed) => !config.training.seeds.includes(seed)) ?? [];
  if (foreign.length > 0)
    warn(
      `--seeds: ${foreign.join(', ')} is not one of training.seeds (${config.training.seeds.join(', ')}), so tables will not ` +
        `include it; to include it: --set 'training.seeds=[${[...config.training.seeds, ...foreign].join(', ')}]'`,
    );
  const actions = planned.map((run) => actionFor(run, options.overwrite));
  if (options.dryRun) {
    if (options.json)
      printJson({ source, runs: planned.map(({ folder }, i) => ({ folder, action: actions[i] })) });
    else for (const [i, { folder }] of planned.entries()) print(`${folder}: ${actions[i]}`);
    return;
  }
  const open = planned.filter((_, i) => actions[i] !== 'done');
  const done = planned.length - open.length;
  if (open.length === 0) note(`Nothing to do: all ${done} runs are done (to redo them: --overwrite).`);
  else if (done > 0) note(`${done} of ${planned.length} runs are done already (to redo them: --overwrite).`);
  const busy = open.length > 0 ? await executeRuns(command, open) : [];

  const summary = showSummary(config, options.json ? undefined : kind);
  const runs = planned.map((run) => ({ run, record: readRun(run.folder) }));
  if (options.json)
    printJson({
      source,
      runs: runs.map(({ run: { folder, split, method, seed }, record }) => ({
        folder,
        split,
        method,
        seed,
        status: record?.status ?? 'missing',
        parameters: record?.parameters,
        testDice: record?.testDice,
        seconds: record?.seconds,
      })),
      summary,
    });
  const diverged = runs.filter(({ record }) => record?.status === 'diverged');
  requireSuccess(
    [
      ...diverged.map(({ run, record }) => `${run.folder}: ${record?.divergedAt}`),
      ...busy,
      ...later.map(({ reason }) => reason),
    ],
    planned.length + later.length,
    diverged.length,
  );
  const [name, ...own] = next(runs.flatMap(({ record }) => record ?? []));
  if (!options.json) note(`\nNext: ${nextCommand(name, own, { ...options, path })}`);
}

/** What the command does with a run. Throws a UserError if the run was started with other settings. */
function actionFor({ folder, identity }: Planned, overwrite = false): string {
  // Does not read the record, which may be damaged.
  if (overwrite) return 'to start anew';
  const record = readRun(folder);
  if (record === undefined) return 'to start';
  requireSameIdentity(folder, record.identity, identity);
  return record.status === 'finished' || record.status === 'diverged' ? 'done' : 'to resume';
}

/** Does the runs one by one. Resolves to a line for each run that another process is working on. */
async function executeRuns<T extends Planned>(
  { config, options, models, unit, total, execute }: RunCommand<T>,
  runs: readonly T[],
): Promise<string[]> {
  const signal = interruptSignal();
  const context = await openSession(config, options, signal, models);
  const busy: string[] = [];
  for (const [i, run] of runs.entries()) {
    signal.throwIfAborted();
    const split = run.split === 'default' ? '' : `${run.split} `;
    const label = `${split}${run.method} seed ${run.seed} (${i + 1}/${runs.length})`;
    const all = total(run, context);
    const progress = startProgress(label, all, unit);
    try {
      await execute(run, context, (done, detail) => {
        progress.update(done, detail);
        tellSupervisor({ done, total: all, detail });
      });
    } catch (error) {
      if (!(error instanceof UserError) || error.kind !== 'failed') throw error;
      busy.push(error.message);
    } finally {
      progress.stop();
    }
  }
  signal.throwIfAborted();
  return busy;
}

/** Sends the progress of this run to `lunet run`, if `lunet run` started it. */
function tellSupervisor(message: ProgressMessage): void {
  if (process.env[SUPERVISED] && process.connected) process.send?.(message, () => undefined);
}

/** Throws a UserError if runs failed: with exit code 4 if all of them diverged, else with 1. */
function requireSuccess(failed: readonly string[], total: number, diverged: number): void {
  if (failed.length === 0) return;
  const hint = diverged > 0 ? ' (for those that diverged, try a smaller training.learningRate)' : '';
  throw new UserError(
    diverged === total ? 'engine' : 'failed',
    `${failed.length} of ${total} runs failed${hint}\n${failed.map((line) => `  ${line}`).join('\n')}`,
  );
}

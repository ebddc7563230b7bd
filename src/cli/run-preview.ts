// What `lunet run --dry-run` shows.

import { modelName } from '../config/models.js';
import { type Experiment, type ModelConfig } from '../config/schema.js';
import { createEngine } from '../engine/index.js';
import { diskBytes, estimateSeconds } from '../experiment/estimate.js';
import { taskState } from '../experiment/state.js';
import { type Task } from '../experiment/tasks.js';
import { requireMemory } from '../training/memory.js';
import { duration } from './terminal/duration.js';
import { note, print, printJson, warn } from './terminal/output.js';
import { formatTable } from './terminal/table.js';

interface PlanOptions {
  readonly jobs: number;
  readonly executor: 'local' | 'slurm';
  readonly engine: string;
  readonly isa?: string;
  readonly threads?: number;
  readonly json?: boolean;
}

/** Lists the runs of an experiment, with the time that the open ones take, by a short measurement, and disk space. */
export async function showPlan(
  config: Experiment,
  source: string,
  tasks: readonly Task[],
  open: readonly Task[],
  options: PlanOptions,
): Promise<void> {
  const engine = await createEngine(options.engine, {
    threads: options.threads,
    isa: options.isa,
    warn,
    say: note,
  });
  if (options.executor === 'local')
    await requireMemory(config, engine, modelsOf(config, open), {
      jobs: Math.min(options.jobs, open.length),
    });
  note(`Measuring a few steps of each network on ${engine.description.name} ...`);
  const seconds = await estimateSeconds(config, open, engine);
  const bytes = open.map((task) => diskBytes(config, task));
  const runs = tasks.map((task) => {
    const at = open.indexOf(task);
    const { state } = taskState(task);
    const action = at < 0 ? 'done' : state === 'missing' ? 'to start' : 'to resume';
    return { task, action, seconds: seconds[at], bytes: bytes[at] };
  });
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  if (options.json)
    printJson({
      source,
      runs: runs.map(({ task: { id, kind, split, method, seed }, ...rest }) => ({
        id,
        kind,
        split,
        method,
        seed,
        action: rest.action,
        seconds: rest.seconds,
        bytes: rest.bytes,
      })),
      seconds: total(seconds),
      bytes: total(bytes),
    });
  else {
    print(
      formatTable(
        [{ title: 'Run' }, { title: 'What' }, { title: 'Time', align: 'right' }],
        runs.map(({ task, action, seconds: time }) => [
          task.id,
          action,
          time === undefined ? '' : `about ${duration(time)}`,
        ]),
      ),
    );
    print(
      `\n${open.length} of ${tasks.length} runs to do: about ${duration(total(seconds))} in all with ` +
        `${engine.description.threads} threads, at most ${(total(bytes) / 1e6).toFixed(0)} MB of disk space`,
    );
  }
}

/** The starting models of the runs. */
export function modelsOf(config: Experiment, tasks: readonly Task[]): ModelConfig[] {
  return config.models.filter((model) => {
    const name = modelName(model);
    return tasks.some(({ kind, method }) => (kind === 'train' ? method : config.pruning.model) === name);
  });
}

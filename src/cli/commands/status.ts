// `lunet status`: shows the progress of each run of an experiment, from the run folders and the Slurm queue.

import { Command } from 'commander';
import { type Experiment } from '../../config/schema.js';
import { UserError } from '../../errors.js';
import { collectRuns, describeLeftOut } from '../../experiment/collect.js';
import { planExperiment } from '../../experiment/tasks.js';
import { type QueuedJob, queuedRuns, slurmIsHere } from '../../experiment/slurm.js';
import { isOver, lastError, logFile, taskProgress, taskState } from '../../experiment/state.js';
import { duration } from '../terminal/duration.js';
import { openExperiment } from '../experiment-file.js';
import { addExamples } from '../help.js';
import { configArgument, jsonOption, setOption } from '../options.js';
import { nextCommand } from '../next.js';
import { noteLeftOut } from '../session.js';
import { note, print, printJson, warn } from '../terminal/output.js';
import { formatTable } from '../terminal/table.js';

interface Options {
  readonly set: string[];
  readonly json?: boolean;
}

/** States of runs that another start resumes or tries again. */
const OPEN = new Set(['missing', 'interrupted', 'stopped', 'unreadable', 'failed']);

export const command = addExamples(
  new Command('status')
    .description(
      'Shows every run of the experiment: done, running, in the Slurm queue, failed or still to do.',
    )
    .addArgument(configArgument())
    .addOption(setOption())
    .addOption(jsonOption())
    .action((path: string | undefined, options: Options) => {
      const { config, source } = openExperiment(path, options.set);
      const tasks = planExperiment(config);
      const queue = askQueue(config);
      const splits = collectRuns(config);
      const leftOut = splits.flatMap((split) => split.leftOut);
      const runs = tasks.map((task) => {
        const { state: onDisk, record, damage } = taskState(task);
        const reason = leftOut.find(({ path: folder }) => folder === task.folder)?.reason;
        const queued = queue.get(task.id);
        const log = logFile(config, task);
        const error =
          isOver(onDisk) || onDisk === 'running' || queued
            ? undefined
            : (damage ?? lastError(log, task.folder));
        const state = isOver(onDisk)
          ? reason === undefined
            ? onDisk
            : 'left out'
          : queued?.state === 'waiting'
            ? 'queued'
            : queued
              ? 'running'
              : error !== undefined && onDisk !== 'unreadable'
                ? 'failed'
                : onDisk;
        return {
          id: task.id,
          state,
          ...taskProgress(config, task, { folder: task.folder, record }),
          testDice: record?.testDice?.[0],
          bestTestDice: record?.pruning?.best.testDice,
          seconds: record?.seconds,
          job: queued?.job,
          ...(error !== undefined && { error, log }),
          ...(record?.divergedAt !== undefined && { error: record.divergedAt }),
        };
      });
      const counts = new Map<string, number>();
      for (const { state } of runs) counts.set(state, (counts.get(state) ?? 0) + 1);
      if (options.json) {
        printJson({ source, counts: Object.fromEntries(counts), runs, leftOut });
        return;
      }
      print(
        formatTable(
          [
            { title: 'Run' },
            { title: 'State' },
            { title: 'Done', align: 'right' },
            { title: 'Dice', align: 'right' },
            { title: 'Time', align: 'right' },
            ...(queue.size > 0 ? [{ title: 'Job', align: 'right' as const }] : []),
          ],
          runs.map(({ id, state, done, total, unit, testDice, bestTestDice, seconds, job }) => [
            id,
            state,
            `${done}/${total} ${unit}`,
            bestTestDice === undefined ? (testDice?.toFixed(4) ?? '') : `≤ ${bestTestDice.toFixed(4)}`,
            seconds === undefined ? '' : duration(seconds),
            ...(queue.size > 0 ? [job ?? ''] : []),
          ]),
        ),
      );
      print(`\n${runs.length} runs: ${[...counts].map(([state, count]) => `${count} ${state}`).join(', ')}`);
      for (const { id, error, log } of runs.map((run) => ({ error: undefined, log: undefined, ...run })))
        if (error !== undefined) note(`${id}: ${error}${log ? ` (${log})` : ''}`);
      noteLeftOut(describeLeftOut(splits));
      const open = runs.some(({ state }) => OPEN.has(state));
      // `lunet run` refuses runs with other settings, so this advice comes first.
      if (runs.some(({ state }) => state === 'left out'))
        note('\nGive the --set with which the runs were made, or repeat the runs left out with --overwrite.');
      else note(`\nNext: ${nextCommand(open ? 'run' : 'report', [], { path, set: options.set })}`);
    }),
  [
    ['for the default experiment, or ./lunet.yaml', 'lunet status'],
    ['for scripts', 'lunet status --json'],
  ],
);

/** The runs in the Slurm queue. If Slurm does not answer, warns that the shown states are those on disk. */
function askQueue(config: Experiment): Map<string, QueuedJob> {
  try {
    if (slurmIsHere()) return queuedRuns(config);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    warn(`${error.message}; runs in the Slurm queue are shown with their state on disk`);
  }
  return new Map();
}

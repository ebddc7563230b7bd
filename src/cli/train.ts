// `lunet train`: trains every model of the experiment for every seed.

import { Command } from 'commander';
import { loadExperiment } from '../config/load.js';
import { planTraining, trainingRun } from '../training/plan.js';
import { trainRun } from '../training/run.js';
import { addExamples } from './help.js';
import { interruptSignal } from './interrupt.js';
import {
  configArgument,
  engineOption,
  jsonOption,
  listOption,
  seedsOption,
  setOption,
  threadsOption,
} from './options.js';
import { openRuns, pendingState } from './pending.js';
import { closeRuns, openSession, showSummary } from './session.js';
import { note, print, printJson, startProgress } from './terminal.js';

interface Options {
  readonly set: string[];
  readonly model?: string[];
  readonly seeds?: number[];
  readonly split?: string[];
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
  readonly engine: string;
  readonly threads?: number;
  readonly json?: boolean;
}

export const command = addExamples(
  new Command('train')
    .description(
      'Trains every model of the experiment for every seed. Run again, it goes on with what is unfinished and skips ' +
        'what is done.',
    )
    .addArgument(configArgument())
    .addOption(listOption('--model <names>', 'only these models (comma-separated)'))
    .addOption(seedsOption())
    .addOption(listOption('--split <names>', 'only these splits (comma-separated)'))
    .addOption(setOption())
    .option('--overwrite', 'start runs anew even if they exist')
    .option('-n, --dry-run', 'list the runs and what would happen to each')
    .addOption(engineOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(async (path: string | undefined, options: Options) => {
      const { config, source } = loadExperiment(path, options.set);
      const planned = planTraining(config, {
        models: options.model,
        seeds: options.seeds,
        splits: options.split,
      });
      if (options.dryRun) {
        for (const run of planned) print(`${run.folder}: ${pendingState(run, options.overwrite ?? false)}`);
        return;
      }
      const open = openRuns(planned, options.overwrite ?? false);
      const failed: string[] = [];
      if (open.length > 0) {
        const context = await openSession(config, options, interruptSignal());
        for (const [i, run] of open.entries()) {
          const label = `${run.split === 'default' ? '' : `${run.split} `}${run.method} seed ${run.seed} (${i + 1}/${open.length})`;
          const progress = startProgress(label, config.training.epochs, 'epoch');
          const record = await trainRun(context, trainingRun(config, run, context.dataset), {
            progress: (epoch, detail) => progress.update(epoch, detail),
          }).finally(() => progress.stop());
          if (record.status === 'diverged')
            failed.push(`${run.method} seed ${run.seed}: ${record.divergedAt}`);
          if (record.status === 'interrupted') break;
        }
        context.signal?.throwIfAborted();
      }
      const summary = showSummary(config, options.json ? undefined : 'train');
      if (options.json) printJson({ source, summary });
      closeRuns(failed, planned.length);
      if (!options.json) note('\nNext: lunet prune --strategy widest');
    }),
  [
    ['train the shipped default experiment, or ./lunet.yaml', 'lunet train'],
    ['train on your own data', 'lunet train configs/hippocampus.yaml --set dataset.root=Task04_Hippocampus'],
    [
      'try a setting without touching earlier results',
      'lunet train --set training.epochs=5 --set experiment=short',
    ],
    ['one model, two seeds', 'lunet train --model lunet-n4 --seeds 1,2'],
  ],
);

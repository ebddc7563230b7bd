// `lunet retrain`: trains pruned architectures as networks of their own.

import { Command, InvalidArgumentError, Option } from 'commander';
import { loadExperiment } from '../config/load.js';
import { INITS, type Init } from '../config/schema.js';
import { planRetraining, retrainingRun, type SnapshotPoint } from '../pruning/retrain.js';
import { choose } from '../training/plan.js';
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
  readonly fromSnapshot?: SnapshotPoint[] | 'all';
  readonly init?: string[];
  readonly strategy?: string[];
  readonly seeds?: number[];
  readonly split?: string[];
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
  readonly engine: string;
  readonly threads?: number;
  readonly json?: boolean;
}

export const command = addExamples(
  new Command('retrain')
    .description(
      'Trains the architectures that pruning arrived at, from new random weights by default: if they do as well as the ' +
        'pruned networks, it is the architecture that matters.',
    )
    .addArgument(configArgument())
    .addOption(
      new Option(
        '--from-snapshot <points>',
        "75%, 50%, 25%, 'N channels' or all; several with commas",
      ).argParser(parsePoints),
    )
    .addOption(
      listOption('--init <names>', `${INITS.join(', ')}; several with commas; default: the config's`),
    )
    .addOption(listOption('--strategy <names>', 'only from these pruning runs; default: all there are'))
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
      if (options.init) choose('--init', options.init, INITS);
      const planned = planRetraining(config, {
        points: options.fromSnapshot === 'all' ? undefined : options.fromSnapshot,
        inits: options.init as Init[] | undefined,
        strategies: options.strategy,
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
        for (const [i, plan] of open.entries()) {
          const run = retrainingRun(config, plan, context.dataset);
          const label = `${plan.split === 'default' ? '' : `${plan.split} `}${plan.method} seed ${plan.seed} (${i + 1}/${open.length})`;
          const progress = startProgress(label, run.epochs, 'epoch');
          const record = await trainRun(context, run, {
            progress: (epoch, detail) => progress.update(epoch, detail),
          }).finally(() => progress.stop());
          if (record.status === 'diverged')
            failed.push(`${plan.method} seed ${plan.seed}: ${record.divergedAt}`);
          if (record.status === 'interrupted') break;
        }
        context.signal?.throwIfAborted();
      }
      const summary = showSummary(config, options.json ? undefined : 'retrain');
      if (options.json) printJson({ source, summary });
      closeRuns(failed, planned.length);
      if (!options.json) note('\nNext: lunet report');
    }),
  [
    ['the architectures with half of the channels, from new weights', 'lunet retrain --from-snapshot 50%'],
    ['every snapshot, as lottery tickets too', 'lunet retrain --from-snapshot all --init random,rewind'],
    ['any point of a pruning run', "lunet retrain --from-snapshot '60 channels' --strategy widest"],
  ],
);

function parsePoints(value: string): SnapshotPoint[] | 'all' {
  if (value.trim() === 'all') return 'all';
  return value.split(',').map((text): SnapshotPoint => {
    const percent = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(text);
    if (percent) return { percent: Number(percent[1]) };
    const channels = /^\s*(\d+)(?:\s*channels?)?\s*$/.exec(text);
    if (channels) return { channels: Number(channels[1]) };
    throw new InvalidArgumentError(`found ${text}, expected 75%, 50%, 25%, a number of channels, or all.`);
  });
}

// `lunet retrain`: trains pruned architectures as networks of their own.

import { Command, InvalidArgumentError, Option } from 'commander';
import { INITS, type Init } from '../../config/schema.js';
import { choose } from '../../config/suggest.js';
import { planRetraining, retrainingRun } from '../../pruning/retraining-runs.js';
import { type MissingRun, type SnapshotPoint } from '../../pruning/snapshots.js';
import { trainRun } from '../../training/run.js';
import { openExperiment } from '../experiment-file.js';
import { addExamples } from '../help.js';
import {
  configArgument,
  engineOption,
  isaOption,
  jsonOption,
  listOption,
  seedsOption,
  setOption,
  threadsOption,
} from '../options.js';
import { type RunOptions, runAll } from '../run-all.js';

interface Options extends RunOptions {
  readonly fromSnapshot?: SnapshotPoint[] | 'all';
  readonly init?: string[];
  readonly strategy?: string[];
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
    .addOption(isaOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action((path: string | undefined, options: Options) => {
      const { config, source } = openExperiment(path, options.set);
      if (options.init) choose('--init', options.init, INITS);
      const missing: MissingRun[] = [];
      const planned = planRetraining(
        config,
        {
          points: options.fromSnapshot === 'all' ? undefined : options.fromSnapshot,
          inits: options.init as Init[] | undefined,
          strategies: options.strategy,
          seeds: options.seeds,
          splits: options.split,
        },
        (run) => missing.push(run),
      );
      return runAll({
        kind: 'retrain',
        config,
        source,
        planned,
        options,
        models: [], // narrower than what was pruned
        unit: 'epoch',
        total: (plan, { dataset }) => retrainingRun(config, plan, dataset).epochs,
        execute: (plan, context, progress) =>
          trainRun(context, retrainingRun(config, plan, context.dataset), { progress }),
        path,
        missing,
        next: () => ['report'],
      });
    }),
  [
    ['the architectures with half of the channels, from new weights', 'lunet retrain --from-snapshot 50%'],
    ['every snapshot, as lottery tickets too', 'lunet retrain --from-snapshot all --init random,rewind'],
    ['any point of a pruning run', "lunet retrain --from-snapshot '60 channels' --strategy widest"],
  ],
);

function parsePoints(value: string): SnapshotPoint[] | 'all' {
  if (value.trim() === 'all') return 'all';
  const points = value.split(',').map((text): SnapshotPoint => {
    const percent = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(text);
    if (percent) return { percent: Number(percent[1]) };
    const channels = /^\s*(\d+)(?:\s*channels?)?\s*$/.exec(text);
    if (channels) return { channels: Number(channels[1]) };
    throw new InvalidArgumentError("expected 75%, 50%, 25%, a number such as '60 channels', or all");
  });
  // One named twice counts once.
  return [...new Map(points.map((point) => [JSON.stringify(point), point])).values()];
}

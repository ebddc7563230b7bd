// `lunet retrain`: trains pruned architectures as independent networks.

import { Command, InvalidArgumentError, Option } from 'commander';
import { INITS, type Init } from '../../config/schema.js';
import { choose } from '../../config/suggest.js';
import { planRetraining, retrainingRun } from '../../pruning/retraining-runs.js';
import { type MissingRun, type SnapshotPoint } from '../../pruning/snapshots.js';
import { trainRun } from '../../training/run.js';
import { openExperiment } from '../experiment-file.js';
import { addExamples } from '../help.js';
import { addRunOptions, configArgument, listOption } from '../options.js';
import { type RunOptions, runAll } from '../run-all.js';

interface Options extends RunOptions {
  readonly fromSnapshot?: SnapshotPoint[] | 'all';
  readonly init?: string[];
  readonly strategy?: string[];
}

export const command = addExamples(
  addRunOptions(
    new Command('retrain')
      .description(
        'Trains pruned architectures, by default from new random weights: if they are as good as the pruned networks, the ' +
          'architecture matters and not the pruned weights.',
      )
      .addArgument(configArgument())
      .addOption(
        new Option(
          '--from-snapshot <points>',
          "75%, 50%, 25%, 'N channels' or all; several with commas",
        ).argParser(parsePoints),
      )
      .addOption(
        listOption('--init <names>', `${INITS.join(', ')}; several with commas; default: as in the config`),
      )
      .addOption(listOption('--strategy <names>', 'only from these pruning runs; default: all that exist')),
    'list the runs and what would happen to each',
  ).action((path: string | undefined, options: Options) => {
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
      models: [], // they are narrower than the pruned model, for which memory sufficed
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
    ['every snapshot, also as lottery tickets', 'lunet retrain --from-snapshot all --init random,rewind'],
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
  // Removes duplicates.
  return [...new Map(points.map((point) => [JSON.stringify(point), point])).values()];
}

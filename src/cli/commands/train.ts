// `lunet train`: trains every model of the experiment for every seed.

import { Command } from 'commander';
import { planTraining, trainingRun } from '../../training/training-runs.js';
import { trainRun } from '../../training/run.js';
import { openExperiment } from '../experiment-file.js';
import { addExamples } from '../help.js';
import { addRunOptions, configArgument, listOption } from '../options.js';
import { preferred } from '../next.js';
import { type RunOptions, runAll } from '../run-all.js';

interface Options extends RunOptions {
  readonly model?: string[];
}

export const command = addExamples(
  addRunOptions(
    new Command('train')
      .description(
        'Trains every model of the experiment for every seed. If started again, it resumes unfinished runs and skips ' +
          'finished ones.',
      )
      .addArgument(configArgument())
      .addOption(listOption('--model <names>', 'only these models (comma-separated)')),
    'list the runs and what would happen to each',
  ).action((path: string | undefined, options: Options) => {
    const { config, source } = openExperiment(path, options.set);
    const planned = planTraining(config, {
      models: options.model,
      seeds: options.seeds,
      splits: options.split,
    });
    return runAll({
      kind: 'train',
      config,
      source,
      planned,
      options,
      models: planned.map(({ model }) => model),
      unit: 'epoch',
      total: () => config.training.epochs,
      execute: (run, context, progress) =>
        trainRun(context, trainingRun(config, run, context.dataset), { progress }),
      path,
      next: () => ['prune', '--strategy', preferred(config.pruning.strategies, 'widest')],
    });
  }),
  [
    ['train the shipped default experiment, or ./lunet.yaml', 'lunet train'],
    ['train on your own data', 'lunet train hippocampus --set dataset.root=Task04_Hippocampus'],
    [
      'try a setting without changing earlier results',
      'lunet train --set training.epochs=5 --set experiment=short',
    ],
    ['one model, two seeds', 'lunet train --model lunet-n4 --seeds 1,2'],
  ],
);

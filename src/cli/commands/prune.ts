// `lunet prune`: removes channels from a network step by step while it trains.

import { Command, Option } from 'commander';
import { configuredArchitecture, prunedModel } from '../../config/models.js';
import { type Experiment } from '../../config/schema.js';
import { choose } from '../../config/suggest.js';
import { type Architecture, listLayers } from '../../network/architecture.js';
import { countParameters } from '../../network/parameters.js';
import { possibleRemovals, prunableChannels } from '../../network/surgery.js';
import { CRITERIA, type CriterionName } from '../../pruning/criteria/index.js';
import { STRATEGIES } from '../../pruning/strategies/index.js';
import { type PlannedPruning, planPruning, pruningRun } from '../../pruning/pruning-runs.js';
import { pruneRun } from '../../pruning/loop.js';
import { SCHEDULED, schedule } from '../../pruning/schedule.js';
import { openExperiment } from '../experiment-file.js';
import { addExamples } from '../help.js';
import { addRunOptions, configArgument, listOption } from '../options.js';
import { preferred } from '../next.js';
import { type RunOptions, runAll } from '../run-all.js';
import { print, printJson } from '../terminal/output.js';
import { formatTable } from '../terminal/table.js';

interface Options extends RunOptions {
  readonly strategy?: string[];
  readonly criterion?: string;
  readonly model?: string;
  readonly fromModel?: boolean;
}

export const command = addExamples(
  addRunOptions(
    new Command('prune')
      .description(
        'Prunes the channels of a network one by one while it trains, for every seed. If started again, it resumes ' +
          'unfinished runs and skips finished ones.',
      )
      .addArgument(configArgument())
      .addOption(
        listOption(
          '--strategy <names>',
          `${STRATEGIES.join(', ')} or all; several with commas; default: as in the config`,
        ),
      )
      .addOption(
        new Option(
          '--criterion <name>',
          `how channels are scored: ${CRITERIA.join(', ')} (all except random are divided by the norm of the layer, which ` +
            'the papers of snip, synflow and bn-scale do not do); default: as in the config',
        ),
      )
      .option('--model <name>', 'the model to prune; default: as in the config, else the first unet')
      .option('--from-model', 'start from the trained model of the same seed instead of new weights'),
    `print the schedule of removals without training (${SCHEDULED.join(' and ')})`,
  ).action((path: string | undefined, options: Options) => {
    const { config, source } = openExperiment(path, options.set);
    if (options.criterion !== undefined) choose('--criterion', [options.criterion], CRITERIA);
    const planned = planPruning(config, {
      strategies: options.strategy,
      criterion: options.criterion as CriterionName | undefined,
      model: options.model,
      seeds: options.seeds,
      splits: options.split,
      fromModel: options.fromModel,
    });
    if (options.dryRun) {
      printSchedules(config, planned, options.json ?? false);
      return undefined;
    }
    return runAll({
      kind: 'prune',
      config,
      source,
      planned,
      options,
      models: planned.map(({ model }) => model),
      unit: 'channel removed,',
      total: (plan, { dataset }) => possibleRemovals(pruningRun(plan, dataset).architecture),
      execute: (plan, context, progress) =>
        pruneRun(context, pruningRun(plan, context.dataset), { progress }),
      path,
      next: (records) => {
        const reached = config.retraining.snapshots.filter((percent) =>
          records.some(({ pruning }) => pruning?.snapshots[String(percent)] !== undefined),
        );
        // A run that collapsed early has no snapshot.
        return reached.length === 0
          ? ['report']
          : ['retrain', '--from-snapshot', `${preferred(reached, 50)}%`];
      },
    });
  }),
  [
    ['the schedule that needs no scores: always the widest block', 'lunet prune --strategy widest'],
    ['the complete order of removals, without training', 'lunet prune --dry-run --strategy widest'],
    ['STAMP with another criterion', 'lunet prune --strategy stamp --criterion taylor'],
    ['every strategy, one seed', 'lunet prune --strategy all --seeds 1'],
  ],
);

function printSchedules(config: Experiment, planned: readonly PlannedPruning[], json: boolean): void {
  const architecture = configuredArchitecture(config, planned[0]?.model ?? prunedModel(config));
  const schedules = planned.map(({ strategy, seed }) => ({
    strategy,
    seed,
    steps: schedule(strategy, architecture, seed),
  }));
  if (json) printJson({ schedules });
  else
    for (const { strategy, seed, steps } of schedules)
      print(scheduleTable(`${strategy}, seed ${seed}`, steps, architecture));
}

function scheduleTable(title: string, steps: ReturnType<typeof schedule>, start: Architecture): string {
  const total = prunableChannels(start);
  const names = listLayers(start).map(({ name }) => name.replace('encoder.', 'e').replace('decoder.', 'd'));
  const table = formatTable(
    [
      { title: 'Step', align: 'right' },
      { title: 'Channels', align: 'right' },
      { title: '%', align: 'right' },
      { title: 'Parameters', align: 'right' },
      ...names.map((name) => ({ title: name, align: 'right' as const })),
      { title: 'Removed' },
    ],
    steps.map(({ architecture, removal }, step) => [
      String(step),
      String(prunableChannels(architecture)),
      ((100 * prunableChannels(architecture)) / total).toFixed(0),
      countParameters(architecture).toLocaleString('en'),
      ...listLayers(architecture).map(({ width }) => String(width)),
      removal ? `${removal.layer} channel ${removal.channel}` : 'nothing left to remove',
    ]),
  );
  return `${title}\n${table}\n`;
}

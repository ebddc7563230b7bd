// `lunet data preview`: a picture of what training feeds to a network.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, Option } from 'commander';
import { choose } from '../../../config/suggest.js';
import { inSplit } from '../../../data/dataset.js';
import { type Split } from '../../../data/split.js';
import { UserError } from '../../../errors.js';
import { collectSamples } from '../../../preview/samples.js';
import { drawSheet } from '../../../preview/sheet.js';
import { commitFile, makeFolder } from '../../../runs/commit.js';
import { splitFolder, splitNames } from '../../../runs/folders.js';
import { openExperiment } from '../../experiment-file.js';
import { addExamples } from '../../help.js';
import { nextCommand } from '../../next.js';
import { configArgument, jsonOption, parseCount, parseFolder, setOption } from '../../options.js';
import { loadCases } from '../../session.js';
import { interruptSignal } from '../../terminal/interrupt.js';
import { note, print, printJson } from '../../terminal/output.js';

interface Options {
  readonly case?: string;
  readonly epoch: number;
  readonly samples: number;
  readonly seed?: number;
  readonly split?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly set: readonly string[];
  readonly json?: boolean;
}

export const preview = addExamples(
  new Command('preview')
    .description(
      'Draws training samples as a network sees them, preprocessed and augmented, with the outlines of their labels: three ' +
        'planes through the middle of the labels. The samples are those of lunet train in that epoch.',
    )
    .addArgument(configArgument())
    .option('--case <id>', 'only samples of this training case, of this epoch and those after it')
    .addOption(
      new Option('--epoch <number>', 'first epoch to show')
        .default(1)
        .argParser((value: string) => parseCount(value)),
    )
    .addOption(
      new Option('--samples <count>', 'how many samples')
        .default(24)
        .argParser((value: string) => parseCount(value, 400)),
    )
    .addOption(
      new Option('--seed <number>', 'seed of the run; default: the first of training.seeds').argParser(
        (value: string) => parseCount(value, Number.MAX_SAFE_INTEGER, 0),
      ),
    )
    .option('--split <name>', 'the split; default: the first')
    .addOption(setOption())
    .addOption(
      new Option(
        '-o, --out <file>',
        'the picture (PNG); default: preview-epoch-EPOCH.png in the folder of the experiment',
      ).argParser(parseFolder),
    )
    .option('--force', 'replace a file that is there')
    .addOption(jsonOption())
    .action(draw),
  [
    ['what ./lunet.yaml feeds in its first epoch', 'lunet data preview'],
    ['the third epoch', 'lunet data preview --epoch 3'],
    ['one case, again and again', 'lunet data preview --case hippocampus_001 --samples 12'],
    ['try an augmentation', 'lunet data preview --set training.augmentation=standard'],
  ],
);

async function draw(path: string | undefined, options: Options): Promise<void> {
  const { config } = openExperiment(path, options.set);
  const { epoch, samples: count } = options;
  const { training } = config;
  if (epoch > training.epochs)
    throw new UserError(
      'usage',
      `--epoch: found ${epoch}, expected at most ${training.epochs}: training.epochs`,
    );
  const names = splitNames(config);
  const [name] = choose('--split', options.split === undefined ? undefined : [options.split], names);
  const split = name as string;
  const [firstSeed] = training.seeds as [number, ...number[]];
  const seed = options.seed ?? firstSeed;
  const file = options.out ?? join(splitFolder(config, split), `preview-epoch-${epoch}.png`);
  if (existsSync(file) && !options.force)
    throw new UserError(
      'usage',
      `${file}: exists already; replace it with --force, or name another with --out`,
    );
  const dataset = inSplit(await loadCases(config, interruptSignal('nothing was written')), split);
  const { train } = dataset.splits.get(split) as Split;
  const only = options.case === undefined ? undefined : choose('--case', [options.case], train)[0];
  const samples = await collectSamples(config, dataset, { seed, cases: train, epoch, case: only, count });
  if (samples.length === 0)
    throw new UserError(
      'usage',
      `--case: found no sample of ${only} from epoch ${epoch} to the last, ${training.epochs}: incomplete batches are left out`,
    );
  const [depth, height, width] = dataset.size;
  const png = drawSheet(samples, [width, height, depth]);
  const elsewhere = 'choose another file with --out';
  makeFolder(dirname(file), elsewhere);
  commitFile(file, png, { elsewhere });
  if (options.json)
    printJson({
      file,
      split,
      seed,
      samples: samples.map(({ title, detail }) => ({ title, detail })),
    });
  else {
    print(file);
    note(`\nNext: ${nextCommand('train', [], { path, set: options.set })}`);
  }
}

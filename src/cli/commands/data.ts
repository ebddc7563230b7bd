// `lunet data phantom`: generated datasets for experiments without real data.

import { join } from 'node:path';
import { Command, Option } from 'commander';
import { type PhantomKind, phantoms } from '../../data/phantoms/index.js';
import { writePhantoms } from '../../data/phantoms/write.js';
import { addExamples } from '../help.js';
import { jsonOption, parseCount, parseFolder } from '../options.js';
import { nextCommand } from '../next.js';
import { startProgress } from '../terminal/progress.js';
import { note, print, printJson } from '../terminal/output.js';

interface Options {
  readonly kind: PhantomKind;
  readonly cases: number;
  readonly size?: number;
  readonly seed: number;
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const kinds = Object.entries(phantoms);

const phantom = addExamples(
  new Command('phantom')
    .description(
      'Writes generated volumes (NIfTI, in the layout of the Medical Segmentation Decathlon) and an experiment file ' +
        'to train on them. The same settings give the same volumes.',
    )
    .addOption(
      new Option('--kind <kind>', 'what to imitate')
        .choices(kinds.map(([kind]) => kind))
        .default('hippocampus'),
    )
    .addOption(
      new Option('--cases <count>', 'how many cases')
        .default(24)
        .argParser((value: string) => parseCount(value, 99_999, 2)),
    )
    .addOption(
      new Option(
        '--size <voxels>',
        `voxels along each axis; default: ${kinds.map(([kind, { size }]) => `${size} (${kind})`).join(', ')}`,
      ).argParser((value: string) => parseCount(value, 512, 8)),
    )
    .addOption(
      new Option('--seed <number>', 'seed of the generator')
        .default(1)
        .argParser((value: string) => parseCount(value, Number.MAX_SAFE_INTEGER, 0)),
    )
    .requiredOption('--out <folder>', 'folder to write; must be absent or empty', parseFolder)
    .option('--force', 'write into a folder that is not empty, over files of the same names')
    .addOption(jsonOption())
    .action(async (options: Options) => {
      const { kind, cases, seed, out, force = false } = options;
      const size = options.size ?? phantoms[kind].size;
      const progress = startProgress(`Generating ${kind}`, cases, 'case', { lines: 'tenths' });
      const experiment = await writePhantoms({ kind, cases, size, seed, out, force }, (done) =>
        progress.update(done),
      ).finally(() => progress.stop());
      if (options.json) printJson({ kind, cases, size, seed, folder: out, experiment });
      else {
        print(join(out, 'dataset.json'));
        print(experiment);
        note(`\nNext: ${nextCommand('train', [], { path: experiment })}`);
      }
    }),
  [
    ['24 hippocampi of 32^3 voxels', 'lunet data phantom --kind hippocampus --size 32 --out phantoms'],
    ['CT of airways with five labels', 'lunet data phantom --kind trachea --cases 20 --out trachea'],
  ],
);

export const command = addExamples(new Command('data').description('Makes datasets.').addCommand(phantom), [
  ['generate a dataset for first experiments', 'lunet data phantom --out phantoms'],
  ['all settings of the generator', 'lunet data phantom --help'],
]);

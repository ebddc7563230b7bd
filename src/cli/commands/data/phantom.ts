// `lunet data phantom`: generated datasets for experiments without real data.

import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { areAxisCodes } from '../../../data/orientation.js';
import { type PhantomKind, phantoms } from '../../../data/phantoms/index.js';
import { writePhantoms } from '../../../data/phantoms/write.js';
import { type Extent } from '../../../data/preprocess.js';
import { addExamples } from '../../help.js';
import { nextCommand } from '../../next.js';
import { jsonOption, parseCount, parseFolder } from '../../options.js';
import { note, print, printJson } from '../../terminal/output.js';
import { startProgress } from '../../terminal/progress.js';

interface Options {
  readonly kind: PhantomKind;
  readonly cases: number;
  readonly size?: Extent;
  readonly spacing?: readonly Extent[];
  readonly orientation: readonly string[];
  readonly jitter: number;
  readonly seed: number;
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const kinds = Object.entries(phantoms);

export const phantom = addExamples(
  new Command('phantom')
    .description(
      'Writes generated volumes (NIfTI, in the layout of the Medical Segmentation Decathlon) and an experiment file ' +
        'to train on them. The same settings give the same files.',
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
        'voxels along each axis, or along x, y and z (192x192x160), at the first spacing; default: ' +
          kinds.map(([kind, { size }]) => `${size} (${kind})`).join(', '),
      ).argParser(parseSize),
    )
    .addOption(
      new Option(
        '--spacing <mm>',
        'mm between voxels along each axis, or along x, y and z; several, separated by commas, are used in turn ' +
          '(1,0.8x0.8x2.5) and cover the same extent, so sizes differ',
      ).argParser(parseSpacings),
    )
    .addOption(
      new Option(
        '--orientation <codes>',
        'where the stored axes point; several, separated by commas, are used in turn (RAS,LPS,PIR)',
      )
        .default(['RAS'], 'RAS')
        .argParser(parseOrientations),
    )
    .addOption(
      new Option(
        '--jitter <fraction>',
        'largest part of each axis that a volume leaves out, at random: fields of view then differ from case to case',
      )
        .default(0)
        .argParser(parseJitter),
    )
    .addOption(
      new Option('--seed <number>', 'seed of the generator')
        .default(1)
        .argParser((value: string) => parseCount(value, Number.MAX_SAFE_INTEGER, 0)),
    )
    .requiredOption('--out <folder>', 'folder to write; must be absent or empty', parseFolder)
    .option('--force', 'write into a folder that is not empty, over files of the same names')
    .addOption(jsonOption())
    .action(generate),
  [
    ['24 hippocampi of 32^3 voxels', 'lunet data phantom --kind hippocampus --size 32 --out phantoms'],
    ['CT of airways with five labels', 'lunet data phantom --kind trachea --cases 20 --out trachea'],
    [
      'CT as from several scanners',
      'lunet data phantom --kind gland --size 192x192x160 --spacing 0.8x0.8x1,0.8x0.8x2.5 --orientation RAS,LPS ' +
        '--jitter 0.1 --out gland',
    ],
  ],
);

async function generate(options: Options): Promise<void> {
  const { kind, cases, spacing: spacings = [], orientation: orientations, jitter, seed, out } = options;
  const usual = phantoms[kind].size;
  const size = options.size ?? ([usual, usual, usual] as const);
  const set = { kind, cases, size, spacings, orientations, jitter, seed, out, force: options.force ?? false };
  const progress = startProgress(`Generating ${kind}`, cases, 'case', { lines: 'tenths' });
  const experiment = await writePhantoms(set, (done) => progress.update(done)).finally(() => progress.stop());
  if (options.json)
    printJson({ kind, cases, size, spacings, orientations, jitter, seed, folder: out, experiment });
  else {
    print(join(out, 'dataset.json'));
    print(experiment);
    note(`\nNext: ${nextCommand('train', [], { path: experiment })}`);
  }
}

/** Parses `64` or `192x192x160`. */
function parseSize(value: string): Extent {
  return perAxis(value, (part) => parseCount(part, 512, 8));
}

function parseSpacings(value: string): Extent[] {
  return value.split(',').map((spacing) =>
    perAxis(spacing, (part) => {
      const mm = Number(part);
      if (!/\d/.test(part) || !(mm >= 0.05 && mm <= 100))
        throw new InvalidArgumentError('expected mm from 0.05 to 100, such as 1 or 0.8x0.8x2.5');
      return mm;
    }),
  );
}

/** One number for all axes, or three with `x` between them. */
function perAxis(value: string, parse: (part: string) => number): Extent {
  const parts = value.trim().split('x').map(parse);
  if (parts.length === 3) return parts as unknown as Extent;
  if (parts.length !== 1)
    throw new InvalidArgumentError(`expected one number or three, such as 64 or 64x64x32`);
  const [all] = parts as [number];
  return [all, all, all];
}

function parseOrientations(value: string): string[] {
  return value.split(',').map((part) => {
    const codes = part.trim().toUpperCase();
    if (!areAxisCodes(codes))
      throw new InvalidArgumentError('expected one letter of each of LR, PA and IS, such as RAS or LPS');
    return codes;
  });
}

function parseJitter(value: string): number {
  const fraction = Number(value);
  if (!/\d/.test(value) || !(fraction >= 0 && fraction <= 0.5))
    throw new InvalidArgumentError('expected a fraction from 0 to 0.5');
  return fraction;
}

// Options and arguments that several commands share, so that they are the same everywhere.

import { availableParallelism } from 'node:os';
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { expandHome, ownPath, ownPathExpected } from '../home-folder.js';
import { suggestion } from '../config/suggest.js';
import { ENGINE_NAMES } from '../engine/index.js';

/** `[config]`: which experiment. */
export function configArgument(): Argument {
  return new Argument(
    '[config]',
    'YAML file of the experiment, or the name of a shipped one (lunet config --list); default: ./lunet.yaml or ' +
      ' ./lunet.yml, else the shipped default',
  );
}

/** `--set key=value`, repeatable; collected into `string[]` for `loadExperiment`. */
export function setOption(): Option {
  return new Option(
    '--set <key=value>',
    'override a key of the config, such as training.epochs=10 (repeatable)',
  )
    .default([], 'none')
    .argParser((value: string, previous: readonly string[]) => [...previous, value]);
}

/** `--threads`, or LUNET_THREADS; if undefined, the engine chooses the number. */
export function threadsOption(): Option {
  return new Option('--threads <count>', 'threads of the engine; default: all physical cores')
    .env('LUNET_THREADS')
    .argParser((value: string) => parseCount(value, 4 * availableParallelism() + 64));
}

/** The options of all commands that do runs (`RunOptions` in run-all.ts); `dryRun` describes `--dry-run`. */
export function addRunOptions(command: Command, dryRun: string): Command {
  return command
    .addOption(seedsOption())
    .addOption(listOption('--split <names>', 'only these splits (comma-separated)'))
    .addOption(setOption())
    .option('--overwrite', 'start runs from the beginning even if they exist')
    .option('-n, --dry-run', dryRun)
    .addOption(engineOption())
    .addOption(isaOption())
    .addOption(threadsOption())
    .addOption(jsonOption());
}

/** `--json`: the results as one JSON object on stdout. */
export function jsonOption(): Option {
  return new Option('--json', 'print the results as JSON');
}

/** Parses a whole number, by default from 1, for `argParser`. */
export function parseCount(value: string, maximum = Number.MAX_SAFE_INTEGER, minimum = 1): number {
  const count = Number(value);
  if (!/^\d+$/.test(value) || count < minimum || count > maximum) {
    throw new InvalidArgumentError(`expected a whole number from ${minimum} to ${maximum}`);
  }
  return count;
}

/** `--engine`, or LUNET_ENGINE. */
export function engineOption(): Option {
  return new Option(
    '--engine <name>',
    'auto, native (C++), wasm (the same as WebAssembly), tensorflow, or webgpu',
  )
    .env('LUNET_ENGINE')
    .argParser((value: string) => {
      if (!(ENGINE_NAMES as readonly string[]).includes(value))
        throw new InvalidArgumentError(
          `expected one of ${ENGINE_NAMES.join(', ')}${suggestion(value, ENGINE_NAMES)}`,
        );
      return value;
    })
    .default('auto');
}

/** `--isa`, or LUNET_ISA: a run must finish on the instruction set it started on, so a common one can be chosen. */
export function isaOption(): Option {
  return new Option(
    '--isa <name>',
    'instruction set of the native engine: avx512, avx2, baseline; default: the widest available',
  ).env('LUNET_ISA');
}

/** An option that takes names, separated by commas; duplicates are removed. */
export function listOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(parseNames);
}

/** Parses names separated by commas; removes duplicates. */
function parseNames(value: string): string[] {
  const names = value.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('expected one name or several, separated by commas');
  return [...new Set(names)];
}

/** `--seeds 1,2,3` or `--seeds 1-3`. */
export function seedsOption(): Option {
  return new Option('--seeds <numbers>', 'only these seeds, such as 1,2 or 1-3').argParser(parseSeeds);
}

const MAX_SEEDS = 1000;

/** Parses whole numbers and ranges of them, separated by commas; removes duplicates. */
function parseSeeds(value: string): number[] {
  const seeds = new Set<number>();
  for (const part of value.split(',')) {
    const [, first, last = first] = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === undefined || !Number.isSafeInteger(from) || !Number.isSafeInteger(to))
      throw new InvalidArgumentError('expected whole numbers such as 1,2 or 1-3');
    if (from > to) throw new InvalidArgumentError(`expected the smaller number first: ${to}-${from}`);
    if (to - from >= MAX_SEEDS) throw new InvalidArgumentError(`expected at most ${MAX_SEEDS} seeds`);
    for (let seed = from; seed <= to; seed++) seeds.add(seed);
  }
  if (seeds.size > MAX_SEEDS) throw new InvalidArgumentError(`expected at most ${MAX_SEEDS} seeds`);
  return [...seeds];
}

/** Parses a folder, for `argParser`; expands `~`, since shells do not do so in `--out=~/x`. */
export function parseFolder(value: string): string {
  if (!ownPath.test(value)) throw new InvalidArgumentError(`${ownPathExpected}.`);
  return expandHome(value);
}

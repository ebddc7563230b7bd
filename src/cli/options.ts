// Options and arguments that several commands share, so that they read the same everywhere.

import { availableParallelism } from 'node:os';
import { Argument, InvalidArgumentError, Option } from 'commander';

/** `[config]`: which experiment. */
export function configArgument(): Argument {
  return new Argument('[config]', 'YAML file of the experiment; default: ./lunet.yaml, else the shipped one');
}

/** `--set key=value`, repeatable; collected into `string[]`, as `loadExperiment` takes it. */
export function setOption(): Option {
  return new Option(
    '--set <key=value>',
    'override a key of the config, such as training.epochs=10 (repeatable)',
  )
    .default([], 'none')
    .argParser((value: string, previous: readonly string[]) => [...previous, value]);
}

/** `--threads`, or LUNET_THREADS; undefined leaves the number to the engine. */
export function threadsOption(): Option {
  return new Option('--threads <count>', 'threads of the engine; default: all physical cores')
    .env('LUNET_THREADS')
    .argParser((value: string) => parseCount(value, 4 * availableParallelism() + 64));
}

/** `--json`: the results as one JSON object on stdout. */
export function jsonOption(): Option {
  return new Option('--json', 'print the results as JSON');
}

/** A whole number, from 1 unless told otherwise, for `argParser`. */
export function parseCount(value: string, maximum = Number.MAX_SAFE_INTEGER, minimum = 1): number {
  const count = Number(value);
  if (!/^\d+$/.test(value) || count < minimum || count > maximum) {
    throw new InvalidArgumentError(`expected a whole number from ${minimum} to ${maximum}.`);
  }
  return count;
}

/** `--engine`, or LUNET_ENGINE. */
export function engineOption(): Option {
  return new Option('--engine <name>', 'auto, native (C++), tensorflow, webgpu, or cpu (JavaScript)')
    .env('LUNET_ENGINE')
    .default('auto');
}

/** An option that takes names, separated by commas. */
export function listOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string) =>
    value
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  );
}

/** `--seeds 1,2,3`. */
export function seedsOption(): Option {
  return new Option('--seeds <numbers>', 'only these seeds (comma-separated)').argParser((value: string) =>
    value.split(',').map((text) => {
      if (!/^\s*\d+\s*$/.test(text) || !Number.isSafeInteger(Number(text)))
        throw new InvalidArgumentError(`found ${text}, expected whole numbers separated by commas.`);
      return Number(text);
    }),
  );
}

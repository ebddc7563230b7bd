// The line that a command ends with: what to type next, for the same experiment.

import { quoteWord } from '../quote-word.js';

/** What a command was given that the next one should be given too. */
export interface Given {
  /** The config argument. */
  readonly path?: string | undefined;
  readonly set?: readonly string[] | undefined;
  readonly split?: readonly string[] | undefined;
  readonly engine?: string | undefined;
  readonly isa?: string | undefined;
}

/** Of what was given, options that not all commands take. */
const TAKES: Readonly<Record<string, readonly ('split' | 'engine')[]>> = {
  train: ['split', 'engine'],
  prune: ['split', 'engine'],
  retrain: ['split', 'engine'],
  run: ['engine'],
};

/**
 * A command line as a shell reads it: `lunet prune my.yaml --strategy widest --set a=b`. Config, settings, splits and
 * engine are those of the command before, where the next one takes them.
 */
export function nextCommand(command: string, options: readonly string[], given: Given): string {
  const { path, set = [], split, engine, isa } = given;
  const takes = TAKES[command] ?? [];
  const words = [
    'lunet',
    command,
    // A leading dash would be an option.
    ...(path === undefined ? [] : [path.startsWith('-') ? `./${path}` : path]),
    ...options,
    ...set.flatMap((setting) => ['--set', setting]),
    ...(split && takes.includes('split') ? ['--split', split.join(',')] : []),
    ...(givenEngine(engine) && takes.includes('engine') ? ['--engine', engine as string] : []),
    ...(isa !== undefined && isa !== process.env['LUNET_ISA'] && takes.includes('engine')
      ? ['--isa', isa]
      : []),
  ];
  return words.map(quoteWord).join(' ');
}

/** Whether an engine was asked for on the command line: what the environment says holds for the next command too. */
function givenEngine(engine: string | undefined): boolean {
  return engine !== undefined && engine !== 'auto' && engine !== process.env['LUNET_ENGINE'];
}

/** Of the values that there are the one that is usual, else the first. */
export function preferred<T>(values: readonly T[], usual: T): T {
  return values.includes(usual) ? usual : (values[0] as T);
}

// The last line of a command: what to type next, for the same experiment.

import { quoteWord } from '../quote-word.js';

/** Arguments of a command that the next one should get too. */
export interface Given {
  /** The config argument. */
  readonly path?: string | undefined;
  readonly set?: readonly string[] | undefined;
  readonly split?: readonly string[] | undefined;
  readonly engine?: string | undefined;
  readonly isa?: string | undefined;
}

/** Options that only some commands take. */
const TAKES: Readonly<Record<string, readonly ('split' | 'engine')[]>> = {
  train: ['split', 'engine'],
  prune: ['split', 'engine'],
  retrain: ['split', 'engine'],
  run: ['engine'],
};

/**
 * A command line for a shell: `lunet prune my.yaml --strategy widest --set a=b`. Config, settings, splits and engine are
 * those of the previous command, as far as the next one takes them.
 */
export function nextCommand(command: string, options: readonly string[], given: Given): string {
  const { path, set = [], split, engine, isa } = given;
  const takes = TAKES[command] ?? [];
  const words = [
    'lunet',
    command,
    // A path with a leading dash would be read as an option.
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

/** Whether the engine was set on the command line; the environment applies to the next command anyway. */
function givenEngine(engine: string | undefined): boolean {
  return engine !== undefined && engine !== 'auto' && engine !== process.env['LUNET_ENGINE'];
}

/** The usual value if it is among the values, else the first. */
export function preferred<T>(values: readonly T[], usual: T): T {
  return values.includes(usual) ? usual : (values[0] as T);
}

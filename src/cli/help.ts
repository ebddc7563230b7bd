// What commands share in their help: examples, and the short help where something is missing.

import { type Command } from 'commander';

/** One example: what it does, and the command line. */
export type Example = readonly [what: string, line: string];

const examplesOf = new WeakMap<Command, readonly Example[]>();

/** Adds an Examples section to a command's help. The first two also say what is missing where an option or argument is. */
export function addExamples(command: Command, examples: readonly Example[]): Command {
  examplesOf.set(command, examples);
  return command.addHelpText('after', `\nExamples:\n${listExamples(examples)}`);
}

/** The command's usage line, two examples and where there is more. */
export function shortHelp(command: Command): string {
  const name = fullName(command);
  const examples = examplesOf.get(command)?.slice(0, 2) ?? [];
  return [
    `\nUsage: ${name} ${command.usage()}`,
    ...(examples.length > 0 ? [listExamples(examples)] : []),
    `All options: ${name} --help`,
  ].join('\n');
}

function listExamples(examples: readonly Example[]): string {
  return examples.map(([what, line]) => `  # ${what}\n  $ ${line}`).join('\n');
}

/** A command's name with those of the commands around it: `lunet data phantom`. */
export function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}

// Help that commands share: examples, and the short help if something is missing.

import { type Command } from 'commander';

/** One example: what it does, and the command line. */
export type Example = readonly [what: string, line: string];

const examplesOf = new WeakMap<Command, readonly Example[]>();

/** Adds an Examples section to the help of a command. The short help shows the first two. */
export function addExamples(command: Command, examples: readonly Example[]): Command {
  examplesOf.set(command, examples);
  return command.addHelpText('after', `\nExamples:\n${listExamples(examples)}`);
}

/** The usage line of a command, two examples and a pointer to the full help. */
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

/** The name of a command with the names of its parents: `lunet data phantom`. */
export function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}

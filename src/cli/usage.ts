// Usage errors in one line: what was found, what was expected, what to type.

import { type Command, type CommanderError } from 'commander';
import { suggestion } from '../config/suggest.js';
import { fullName, shortHelp } from './help.js';
import { commandHint, optionHint } from './hints.js';

/** The message for an error of commander; `words` are the arguments after `lunet`. */
export function usageError(error: CommanderError, asked: Command, words: readonly string[]): string {
  const command = asked.commands.find((each) => words[1] === each.name()) ?? asked;
  const message = error.message
    .replace(/^error: /, '')
    .replace(/^(unknown option '[^'=]*)=.*?'/s, "$1'")
    .replace(/\n\(Did you mean (.+?)\?\)/, ' (did you mean $1?)');
  switch (error.code) {
    case 'commander.invalidArgument':
      return invalidValue(message);
    case 'commander.unknownCommand': {
      const found = /^unknown command '(.*?)'/s.exec(message)?.[1] ?? '';
      const hint = command.parent === null ? commandHint(found) : undefined;
      return oneLine(message, command, hint);
    }
    case 'commander.unknownOption': {
      const flag = (/^unknown option '(.*?)'/s.exec(message)?.[1] ?? '').split('=')[0] as string;
      return oneLine(message, command, optionHint(flag, words, command.name(), flagsOf(command)));
    }
    case 'commander.missingMandatoryOptionValue':
    case 'commander.missingArgument':
      return `${message}\n${shortHelp(command)}`;
    default:
      return oneLine(message.replace(/\.$/, ''), command);
  }
}

function oneLine(message: string, command: Command, hint?: string): string {
  if (hint !== undefined) return `${message.replace(/ \(did you mean .*\)$/s, '')}: ${hint}`;
  return message.endsWith('?)') ? message : `${message}; see: ${fullName(command)} --help`;
}

/** The message for an invalid value: `--seeds: found x, expected whole numbers`. */
function invalidValue(message: string): string {
  const [, flags = '', found = '', variable, reason = ''] =
    /^option '(.*?)' (?:argument|value) '(.*?)'(?: from env '(\w+)')? is invalid\. (.*)$/s.exec(message) ??
    [];
  if (flags === '') return message;
  const where = variable ?? /--[\w-]+/.exec(flags)?.[0] ?? flags;
  const choices = /^Allowed choices are (.*)\.$/.exec(reason)?.[1];
  const expected =
    choices === undefined ? reason : `expected one of ${choices}${suggestion(found, choices.split(', '))}`;
  return `${where}: found ${found.trim() === '' ? 'nothing' : found}, ${expected}`;
}

/** The options of a command, its parents and its subcommands. */
function flagsOf(command: Command): ReadonlySet<string> {
  const family = [command, ...command.commands, ...(command.parent ? [command.parent] : [])];
  return new Set(
    family
      .flatMap(({ options }) => options.flatMap(({ short, long }) => [short, long]))
      .flatMap((flag) => flag ?? []),
  );
}

// Starts the requested command and turns every error into a message and an exit code.

import { Command, CommanderError } from 'commander';
import { EXIT, UserError } from '../errors.js';
import { packageVersion } from '../version.js';
import { commands } from './index.js';
import { survivePrinting } from './terminal/streams.js';
import { endWithSupervisor } from '../experiment/supervision.js';
import { note, paint } from './terminal/output.js';

/** Runs the command line. Resolves to the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  survivePrinting();
  endWithSupervisor(() => process.exit(EXIT.interrupted));
  const program = new Command('lunet');
  program
    .description('Train, prune and compare lean 3D U-Nets for medical image segmentation.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .option('--debug', 'print the stack trace of an error')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText(
      'after',
      '\nExamples:\n  $ lunet train             train the shipped experiment, or the one in ./lunet.yaml\n' +
        '  $ lunet train --help      what a command does, with examples',
    );
  const wanted = wantedCommand(program, argv);
  let chosen: Command = program;
  try {
    for (const { name, summary, load } of commands) {
      const command = name === wanted ? (await load()).command : new Command(name);
      if (name === wanted) chosen = command;
      program.addCommand(command.summary(summary));
    }
    inheritSettings(program);
    // Commander itself would print the whole help.
    if (argv[2] === 'help' && wanted !== undefined && wanted !== 'help' && chosen === program)
      program.error(`unknown command '${wanted}'`, { code: 'commander.unknownCommand' });
    if (argv.length <= 2) program.outputHelp();
    else await program.parseAsync(argv);
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    return report(error, chosen, argv);
  }
}

/** The name of the command in `lunet [options] NAME ...` or `lunet help NAME`. */
function wantedCommand(program: Command, argv: readonly string[]): string | undefined {
  const { operands } = program.parseOptions(argv.slice(2));
  return operands[0] === 'help' ? operands[1] : operands[0];
}

/** Makes all commands throw instead of exit, and offer the same help option. */
function inheritSettings(command: Command): void {
  // `report` prints the errors instead of commander.
  command
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({ outputError: () => undefined });
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inheritSettings(child);
  }
}

/** Prints an error; returns the exit code. */
async function report(error: unknown, command: Command, argv: readonly string[]): Promise<number> {
  const debug = argv.includes('--debug');
  const say = (message: string): void => note(`${paint('red', 'error:', process.stderr)}${message}`);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.done;
    if (error.code !== 'commander.help')
      say(` ${(await import('./usage.js')).usageError(error, command, argv.slice(2))}`);
    return EXIT.usage;
  }
  if (debug) note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (error instanceof UserError) {
    // Several problems: one line each, so that an editor or a terminal can jump to file:line:column.
    const several = error.message.includes('\n');
    if (!debug) say(`${several ? '\n' : ' '}${error.message}`);
    return EXIT[error.kind];
  }
  say(` this is a bug in lunet: ${error instanceof Error ? error.message : String(error)}`);
  if (!debug) note('Run the command again with --debug for the stack trace.');
  return EXIT.failed;
}

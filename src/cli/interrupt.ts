// Ctrl-C and SIGTERM: the first one asks a command to stop, the second one ends the process at once.

import { EXIT, UserError } from '../errors.js';
import { note } from './terminal.js';

/**
 * A signal that aborts at the first SIGINT or SIGTERM, for commands that can write a checkpoint before they end.
 * Its reason is a UserError of kind `interrupted`: to end the command, throw it (`signal.throwIfAborted()`).
 */
export function interruptSignal(
  afterwards = 'the same command goes on from the last checkpoint',
): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    note('\nStopping; once more quits at once.');
    controller.abort(new UserError('interrupted', `interrupted; ${afterwards}`));
  };
  if (process.env['LUNET_SUPERVISED'] && process.channel) {
    // `lunet run` has died: nobody would see how this goes on.
    process.once('disconnect', stop);
    process.channel.unref();
  }
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

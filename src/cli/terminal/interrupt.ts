// Ctrl-C, SIGTERM and the closing of the terminal: the first signal asks a command to stop, the second ends the process.

import { isatty } from 'node:tty';
import { EXIT, UserError } from '../../errors.js';
import { goOnUnheard } from './streams.js';
import { endWithSupervisor } from '../../experiment/supervision.js';
import { note } from './output.js';

/** The terminal sends Ctrl-C to all processes, and npx forwards it again: a second signal this soon is a duplicate. */
const ECHO_MS = 150;

/**
 * An AbortSignal that aborts at the first SIGINT, SIGTERM or SIGHUP, for commands that can write a checkpoint before they
 * end. Its reason is a UserError of kind `interrupted`: to end the command, throw it (`signal.throwIfAborted()`).
 */
export function interruptSignal(
  afterwards = 'the same command resumes from the last checkpoint',
): AbortSignal {
  const controller = new AbortController();
  let asked = -Infinity;
  const stop = (): void => {
    const now = performance.now();
    if (now - asked < ECHO_MS) return;
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    asked = now;
    note('\nStopping; press Ctrl-C again to quit immediately.');
    controller.abort(new UserError('interrupted', `interrupted; ${afterwards}`));
  };
  goOnUnheard();
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // A closed terminal may send SIGHUP more than once; this must not quit immediately. A process without any terminal, as
  // with nohup, should survive the terminal it was started from (Node.js loses nohup's setting to ignore SIGHUP).
  const watched = [0, 1, 2].some((descriptor) => isatty(descriptor));
  process.on('SIGHUP', () => {
    if (watched && !controller.signal.aborted) stop();
  });
  endWithSupervisor(() => {
    if (!controller.signal.aborted) stop();
  });
  return controller.signal;
}

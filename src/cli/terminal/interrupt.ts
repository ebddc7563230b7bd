// Ctrl-C, SIGTERM and the end of the terminal: the first one asks a command to stop, the second one ends the process.

import { isatty } from 'node:tty';
import { EXIT, UserError } from '../../errors.js';
import { goOnUnheard } from './streams.js';
import { endWithSupervisor } from '../../experiment/supervision.js';
import { note } from './output.js';

/** One Ctrl-C comes twice where npx passes on what the terminal has sent to all; nobody types it again so fast. */
const ECHO_MS = 150;

/**
 * A signal that aborts at the first SIGINT, SIGTERM or SIGHUP, for commands that can write a checkpoint before they end.
 * Its reason is a UserError of kind `interrupted`: to end the command, throw it (`signal.throwIfAborted()`).
 */
export function interruptSignal(
  afterwards = 'the same command goes on from the last checkpoint',
): AbortSignal {
  const controller = new AbortController();
  let asked = -Infinity;
  const stop = (): void => {
    const now = performance.now();
    if (now - asked < ECHO_MS) return;
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    asked = now;
    note('\nStopping; once more quits at once.');
    controller.abort(new UserError('interrupted', `interrupted; ${afterwards}`));
  };
  goOnUnheard();
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // A closed terminal asks more than once, and is no answer to "once more". Who gave this process no terminal at all, as
  // nohup does, wants it to outlive the one that it was started from; that nohup has SIGHUP ignored is lost on Node.
  const watched = [0, 1, 2].some((descriptor) => isatty(descriptor));
  process.on('SIGHUP', () => {
    if (watched && !controller.signal.aborted) stop();
  });
  endWithSupervisor(() => {
    if (!controller.signal.aborted) stop();
  });
  return controller.signal;
}

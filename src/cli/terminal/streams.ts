// What happens when stdout or stderr cannot be written: the reader has gone, the terminal was closed, the disk is full.

import { EXIT } from '../../errors.js';
import { fsReason } from '../../fs-reason.js';

let atWork = false;

/** From now on nothing that cannot be printed ends the process: it has work to finish, whose results are in files. */
export function goOnUnheard(): void {
  atWork = true;
}

/**
 * Lets messages on stderr get lost. Ends quietly when the reader of stdout has gone, as `lunet config --print | head -1`
 * does; where results cannot be printed for another reason, that is said and is a failure.
 */
export function survivePrinting(): void {
  process.stderr.on('error', () => undefined);
  let failed = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (failed) return;
    failed = true;
    const gone = error.code === 'EPIPE';
    if (!gone) process.stderr.write(`error: stdout: could not be written: ${fsReason(error)}\n`);
    if (!atWork) process.exit(gone ? EXIT.done : EXIT.disk);
  });
}

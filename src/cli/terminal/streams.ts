// Handles failed writes to stdout or stderr: the reader has ended, the terminal was closed, the disk is full.

import { EXIT } from '../../errors.js';
import { fsReason } from '../../fs-reason.js';

let atWork = false;

/** From now on a failed write does not end the process: its work must continue, and its results are in files. */
export function goOnUnheard(): void {
  atWork = true;
}

/**
 * Ignores failed writes to stderr. If the reader of stdout has ended, as in `lunet config --print | head -1`, ends the process
 * without a message. If stdout fails for another reason, prints an error and fails.
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

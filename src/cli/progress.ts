// Progress on stderr: a bar with the time left on a terminal, plain lines elsewhere.

import { Presets, SingleBar } from 'cli-progress';
import { note } from './terminal.js';

/** A count on its way to a total. */
export interface Progress {
  /** Sets the count; `detail` is short text behind it, such as the loss. */
  update(done: number, detail?: string): void;
  /** Writes a line above. */
  log(line: string): void;
  /** Ends the line. */
  stop(): void;
}

export interface ProgressOptions {
  /** Lines without a terminal: one an update (for epochs), or one each tenth of the total (for files). */
  readonly lines?: 'every' | 'tenths';
  /** Where counting starts, such as the epochs of a resumed run. */
  readonly start?: number;
}

/**
 * Shows progress on stderr: a bar on a terminal, plain lines elsewhere. `unit` is what is counted, such as
 * `epoch`.
 */
export function startProgress(
  label: string,
  total: number,
  unit: string,
  { lines = 'every', start = 0 }: ProgressOptions = {},
): Progress {
  return process.stderr.isTTY ? startBar(label, total, unit, start) : startLines(label, total, unit, lines);
}

function startBar(label: string, total: number, unit: string, start: number): Progress {
  const bar = new SingleBar(
    {
      format: `${label} {bar} ${unit} {value}/{total}  {eta_formatted} left  {detail}`,
      stream: process.stderr,
      barsize: 24,
      hideCursor: true,
      gracefulExit: false,
      etaBuffer: 20,
    },
    Presets.shades_classic,
  );
  bar.start(total, start, { detail: '' });
  return {
    update: (done, detail = '') => bar.update(done, { detail }),
    log: (line) => note(`\r\x1b[K${line}`),
    stop: () => bar.stop(),
  };
}

function startLines(label: string, total: number, unit: string, lines: 'every' | 'tenths'): Progress {
  let tenth = 0;
  return {
    update(done, detail = '') {
      const reached = Math.floor((10 * done) / total);
      if (lines === 'tenths' && reached <= tenth) return;
      tenth = reached;
      note(`${label}: ${unit} ${done}/${total}${detail && `  ${detail}`}`);
    },
    log: note,
    stop: () => undefined,
  };
}

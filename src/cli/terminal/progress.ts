// Progress on stderr: a bar with the remaining time on a terminal, plain lines elsewhere.

import { SingleBar } from 'cli-progress';
import { progressLine } from './progress-line.js';
import { note, setFooter } from './output.js';

/** A progress display. */
export interface Progress {
  /** Sets the count; `detail` is short text after it, such as the loss. */
  update(done: number, detail?: string): void;
  /** Ends the line. */
  stop(): void;
}

export interface ProgressOptions {
  /** What is shown: every update (for epochs), or without a terminal one line per tenth of the total (for files). */
  readonly lines?: 'every' | 'tenths';
  /** Whether the bar disappears at its end, because every step has already printed a line. */
  readonly vanish?: boolean;
}

/**
 * Shows progress on stderr: a bar on a terminal, plain lines elsewhere. `unit` is what is counted, such as
 * `epoch`, or `%`. Messages that are written meanwhile appear above the bar.
 */
export function startProgress(
  label: string,
  total: number,
  unit: string,
  { lines = 'every', vanish = false }: ProgressOptions = {},
): Progress {
  return process.stderr.isTTY
    ? startBar(label, total, unit, vanish, lines === 'every')
    : startLines(label, total, unit, lines);
}

/** `every`: draws each update, however soon it follows the last one; else a few times a second. */
function startBar(label: string, total: number, unit: string, vanish: boolean, every: boolean): Progress {
  const { stderr } = process;
  const bar = new SingleBar({
    stream: withoutCursorMemory(stderr),
    gracefulExit: false,
    clearOnComplete: vanish,
    // A message above the bar has erased it.
    forceRedraw: true,
    synchronousUpdate: !every,
    // The number of updates from which the remaining time is estimated.
    etaBuffer: 20,
    format: (_options, { value, eta }, { detail }: { detail: string }) =>
      progressLine(
        { label, done: value, total, unit, secondsLeft: timeLeft(value, eta), detail },
        stderr.columns,
      ),
  });
  bar.start(total, 0, { detail: '' });
  setFooter({ clear: () => void stderr.write('\r\x1b[K'), draw: () => bar.render() });
  return {
    update(done, detail = '') {
      bar.update(done, { detail });
      if (every) bar.render();
    },
    stop() {
      setFooter(undefined);
      bar.stop();
    },
  };
}

/**
 * Filters out two codes of the library that restore the cursor to where the bar began: this is another line after messages
 * have been written above the bar.
 */
function withoutCursorMemory(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  const write = (text: string): boolean => text === '\x1b7' || text === '\x1b8' || stream.write(text);
  return Object.create(stream, { write: { value: write } }) as NodeJS.WriteStream;
}

/** Remaining seconds; undefined if the library says `NULL` or `INF` because it does not know. */
function timeLeft(done: number, eta: unknown): number | undefined {
  return done > 0 && typeof eta === 'number' && Number.isFinite(eta) ? eta : undefined;
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
    stop: () => undefined,
  };
}

/** The progress of cases whose number is known only with the first one; shows nothing before. */
export function startCaseProgress(label: string): {
  readonly update: (done: number, total: number) => void;
  readonly stop: () => void;
} {
  let progress: ReturnType<typeof startProgress> | undefined;
  return {
    update: (done, total) => {
      progress ??= startProgress(label, total, 'case', { lines: 'tenths' });
      progress.update(done);
    },
    stop: () => progress?.stop(),
  };
}

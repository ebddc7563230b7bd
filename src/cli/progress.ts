// Progress on stderr: a bar with the time left on a terminal, plain lines elsewhere.

import { progressLine } from './progress-line.js';
import { displayWidth, note, setFooter } from './terminal.js';

/** A count on its way to a total. */
export interface Progress {
  /** Sets the count; `detail` is short text behind it, such as the loss. */
  update(done: number, detail?: string): void;
  /** Ends the line. */
  stop(): void;
}

export interface ProgressOptions {
  /** Lines without a terminal: one an update (for epochs), or one each tenth of the total (for files). */
  readonly lines?: 'every' | 'tenths';
  /** Whether the bar goes when it ends, as where every step has left a line of its own. */
  readonly vanish?: boolean;
}

/**
 * Shows progress on stderr: a bar on a terminal, plain lines elsewhere. `unit` is what is counted, such as
 * `epoch`, or `%`. Messages that are written meanwhile come above the bar.
 */
export function startProgress(
  label: string,
  total: number,
  unit: string,
  { lines = 'every', vanish = false }: ProgressOptions = {},
): Progress {
  return process.stderr.isTTY ? startBar(label, total, unit, vanish) : startLines(label, total, unit, lines);
}

/** A bar is drawn at most so often. */
const DRAW_MS = 100;
/** The time left is guessed from so many updates. */
const REMEMBERED = 20;

function startBar(label: string, total: number, unit: string, vanish: boolean): Progress {
  const { stderr } = process;
  const updates: { readonly at: number; readonly done: number }[] = [];
  let [done, detail, drawnAt, drawn] = [0, '', -Infinity, ''];

  const secondsLeft = (): number | undefined => {
    const [first, last] = [updates[0], updates.at(-1)];
    if (first === undefined || last === undefined || last.done <= first.done) return undefined;
    const each = (last.at - first.at) / (last.done - first.done);
    return Math.max(0, (total - last.done) * each - (performance.now() - last.at)) / 1000;
  };
  /** The columns may have become fewer since: then the terminal shows the line in several rows. */
  const clear = (): void => {
    const rows = Math.ceil(displayWidth(drawn) / (stderr.columns || 80));
    stderr.write(`\r${rows > 1 ? `\x1b[${rows - 1}A` : ''}\x1b[J`);
    drawn = '';
  };
  const draw = (): void => {
    const line = progressLine(
      { label, done, total, unit, secondsLeft: secondsLeft(), detail },
      stderr.columns,
    );
    if (line === drawn) return;
    if (displayWidth(drawn) > (stderr.columns || 80)) clear();
    stderr.write(`\r${line}\x1b[K`);
    drawn = line;
    drawnAt = performance.now();
  };
  // The time left goes on where nothing else does.
  const timer = setInterval(draw, 1000).unref();
  stderr.on('resize', draw);
  setFooter({ clear, draw });
  draw();
  return {
    update(nowDone, nowDetail = '') {
      if (nowDone !== done) updates.push({ at: performance.now(), done: nowDone });
      if (updates.length > REMEMBERED) updates.shift();
      [done, detail] = [nowDone, nowDetail];
      if (performance.now() - drawnAt >= DRAW_MS) draw();
    },
    stop() {
      clearInterval(timer);
      stderr.off('resize', draw);
      setFooter(undefined);
      if (vanish) return clear();
      draw();
      stderr.write('\n');
    },
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
    stop: () => undefined,
  };
}

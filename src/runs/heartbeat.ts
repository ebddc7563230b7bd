// The thread that shows that a lock's holder lives: it counts up in the lock file, whatever the main thread is busy with.
// It never makes a file, and leaves one that is another's alone.

import { closeSync, openSync, readFileSync, utimesSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

/** What the thread is started with: the lock file, its first line, and the time between two beats. */
export interface Heart {
  readonly path: string;
  readonly line: string;
  readonly everyMs: number;
}

const { path, line, everyMs } = workerData as Heart;
let count = 0;

function beat(): void {
  try {
    if (readFileSync(path, 'utf8').split('\n', 1)[0] !== line) return;
    const file = openSync(path, 'r+');
    try {
      writeSync(file, `${String(++count).padStart(9)}\n`, Buffer.byteLength(line) + 1);
    } finally {
      closeSync(file);
    }
  } catch {
    try {
      // A full disk may refuse the number; the time is as good.
      utimesSync(path, new Date(), new Date());
    } catch {
      // The next beat may do better; if none does, the holder notices before it writes.
    }
  }
}

beat();
setInterval(beat, everyMs);

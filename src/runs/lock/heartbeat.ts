// The heartbeat thread, which shows that the lock holder is alive: it increments a counter in the lock file, even while the
// main thread is busy. It never creates a file and does not touch the lock of another process.

import { closeSync, openSync, readFileSync, utimesSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

/** The input of the thread: the lock file, its first line, and the time between two heartbeats. */
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
      // A full disk may refuse the counter; the modification time serves as well.
      utimesSync(path, new Date(), new Date());
    } catch {
      // The next heartbeat may succeed; if none does, the holder notices before it writes.
    }
  }
}

beat();
setInterval(beat, everyMs);

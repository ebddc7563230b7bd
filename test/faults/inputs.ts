// Hostile inputs: volumes and configs with random changes, read in separate processes. Each must be read, or refused with a
// message for the user, without a bug, a crash, an endless loop or a huge allocation.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Campaign, type Outcome } from './campaign.js';

const READER = fileURLToPath(new URL('./read-inputs.js', import.meta.url));
const BATCH = 200;
const LIMIT_MS = 120_000;

/** The output of a process that reads a batch. */
export interface BatchResult {
  readonly tried: number;
  readonly faults: readonly string[];
}

export const inputs: Campaign = (until, random) => {
  const outcomes = ['volumes', 'configs'].map((kind): Outcome => ({
    what: `changed ${kind}`,
    tried: 0,
    faults: [],
  }));
  do
    for (const outcome of outcomes) {
      const kind = outcome.what.replace('changed ', '');
      const seed = random.integer(2 ** 31);
      // A heap that is just large enough for the small files.
      const { status, signal, stdout, stderr } = spawnSync(
        process.execPath,
        ['--max-old-space-size=256', '--disable-proto=throw', READER, kind, String(seed), String(BATCH)],
        { encoding: 'utf8', timeout: LIMIT_MS },
      );
      if (status === 0) {
        const { tried, faults } = JSON.parse(stdout) as BatchResult;
        outcome.tried += tried;
        outcome.faults.push(...faults);
      } else {
        outcome.tried += BATCH;
        const end = signal === null ? `exit code ${status}` : signal;
        outcome.faults.push(
          `${kind} of seed ${seed}: the process ended with ${end}: ${stderr.slice(0, 300)}`,
        );
      }
    }
  while (Date.now() < until);
  return Promise.resolve(outcomes);
};

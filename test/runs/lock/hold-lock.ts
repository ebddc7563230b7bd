// A process that takes the lock of a run for the tests: prints `held` or why not; then commits a file for each input line.

import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { commitFile } from '../../../src/runs/commit.js';
import { lockRun } from '../../../src/runs/lock/lock.js';

const [folder, lookMs, beatMs] = process.argv.slice(2) as [string, string, string];
const said = (error: unknown): string => `error: ${(error as Error).message}`;
try {
  await lockRun(folder, {
    warn: () => undefined,
    pace: { lookMs: Number(lookMs), beatMs: Number(beatMs) },
  });
  console.log('held');
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      commitFile(join(folder, 'file'), line);
      console.log('written');
    } catch (error) {
      console.log(said(error));
    }
  }
} catch (error) {
  console.log(said(error));
}

// A process that takes a run's lock for the tests: says `held` or why not; then commits a file for each line of its input.

import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { commitFile } from '../../src/runs/commit.js';
import { lockRun } from '../../src/runs/lock.js';

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

// Damage: one bit flipped, or the end cut off, in every kind of file that lunet reads. lunet must detect it (it names the file
// and does not use it, or uses the previous checkpoint), must never change a number silently, and must not fail with a bug.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { loadExperiment } from '../../src/config/load.js';
import { UserError } from '../../src/errors.js';
import { type RandomStream } from '../../src/random.js';
import { collectResults } from '../../src/report/results.js';
import { peekProgress, readCheckpoint } from '../../src/runs/checkpoint.js';
import { runKey } from '../../src/runs/identity.js';
import { readNetwork } from '../../src/runs/network-file.js';
import { readRun } from '../../src/runs/run.js';
import { type Campaign, FOLDERS, type Outcome, copyOfWhole, discard } from './campaign.js';

export const damage: Campaign = (until, random) => {
  const cwd = copyOfWhole();
  const { config } = loadExperiment(join(cwd, 'lunet.yaml'), [`output=${JSON.stringify(join(cwd, 'runs'))}`]);
  const numbers = (): { all: string; leftOut: readonly string[] } => {
    const { summary, steps, epochs, scores, comparisons, leftOut } = collectResults(config);
    return { all: JSON.stringify({ summary, steps, epochs, scores, comparisons }), leftOut };
  };
  const clean = numbers().all;
  const records: Outcome = { what: 'changes of run.json and CSV files', tried: 0, faults: [] };
  const tensors: Outcome = { what: 'changes of weights and checkpoints', tried: 0, faults: [] };
  const folders = FOLDERS.map((folder) => join(cwd, folder));
  const READ_BACK = /^(run\.json|steps\.csv|epochs\.csv|scores\.csv|cases(-\d+)?\.csv)$/;
  const read = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => READ_BACK.test(name) && !isForPeople(folder, name))
      .map((name) => join(folder, name)),
  );
  do {
    for (const path of read)
      spoil(path, random, records, () => {
        const { all, leftOut } = numbers();
        const place = basename(path) === 'run.json' ? path.replace('/run.json', '') : path;
        return leftOut.some((line) => line.startsWith(place))
          ? undefined
          : all === clean
            ? 'is not noticed'
            : 'changes numbers silently';
      });
    for (const folder of folders) {
      spoilWeights(folder, random, tensors);
      spoilCheckpoint(folder, random, tensors);
    }
  } while (Date.now() < until);
  if (numbers().all !== clean) records.faults.push('the numbers are others although all files are as before');
  discard(cwd);
  return Promise.resolve([records, tensors]);
};

/** The final cases.csv of a pruning run is not compared with anything, so lunet never reads it. */
const isForPeople = (folder: string, name: string): boolean =>
  folder.includes('/prune/') && name === 'cases.csv';

/** Changes a file, lets `check` look for violations, and restores the file. */
function spoil(
  path: string,
  random: RandomStream,
  outcome: Outcome,
  check: (spoilt: Buffer) => string | undefined,
): void {
  const intact = readFileSync(path);
  const spoilt = changed(intact, random);
  writeFileSync(path, spoilt);
  outcome.tried++;
  try {
    const wrong = check(spoilt);
    if (wrong !== undefined) outcome.faults.push(`${path}: a change ${wrong}`);
  } catch (error) {
    if (!(error instanceof UserError))
      outcome.faults.push(`${path}: a change is called a bug: ${(error as Error).message}`);
  } finally {
    writeFileSync(path, intact);
  }
}

/** The bytes with one bit flipped or, in one of ten cases, with the end cut off. */
function changed(bytes: Buffer, random: RandomStream): Buffer {
  if (random.uniform() < 0.1) return bytes.subarray(0, random.integer(bytes.length));
  const result = Buffer.from(bytes);
  const at = random.integer(bytes.length);
  result[at] = (result[at] as number) ^ (1 << random.integer(8));
  return result;
}

function spoilWeights(folder: string, random: RandomStream, outcome: Outcome): void {
  for (const name of readdirSync(folder).filter((file) => /^(model|initial|snapshot-\d+)\./.test(file))) {
    const path = join(folder, name);
    spoil(path, random, outcome, () => {
      // Throws a UserError if it detects the damage.
      readNetwork(path);
      return 'is not noticed';
    });
  }
}

function spoilCheckpoint(folder: string, random: RandomStream, outcome: Outcome): void {
  const record = readRun(folder);
  if (record === undefined) throw new Error(`${folder} has no record`);
  const key = runKey(record);
  const before = JSON.stringify(peekProgress(folder, key));
  const newest = join(folder, 'checkpoint.safetensors');
  const previous = join(folder, 'checkpoint-previous.safetensors');
  const [kept, keptBefore] = [readFileSync(newest), readFileSync(previous)];
  spoil(newest, random, outcome, () => {
    const warnings: string[] = [];
    const found = readCheckpoint(folder, key, (warning) => warnings.push(warning));
    return warnings.length === 1 && JSON.stringify(found.progress) !== before
      ? undefined
      : 'does not lead to the checkpoint before';
  });
  writeFileSync(newest, kept);
  writeFileSync(previous, keptBefore);
}

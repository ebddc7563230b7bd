// `lunet data inspect`: what a dataset contains, and what is wrong with its files.

import { relative } from 'node:path';
import { Command, Option } from 'commander';
import { availableParallelism } from 'node:os';
import { type DatasetFacts, inspectDataset } from '../../../data/inspect/dataset-facts.js';
import { countEach, summariseExtents, summariseLabels } from '../../../data/inspect/summary.js';
import { UserError } from '../../../errors.js';
import { datasetTables } from '../../dataset-tables.js';
import { addExamples } from '../../help.js';
import { jsonOption, parseCount } from '../../options.js';
import { interruptSignal } from '../../terminal/interrupt.js';
import { print, printJson, warn } from '../../terminal/output.js';
import { startCaseProgress } from '../../terminal/progress.js';

export const inspect = addExamples(
  new Command('inspect')
    .description(
      'Reads every file of a dataset and shows what it contains: sizes, spacings, orientations, intensities, labels, and ' +
        'the faults of all files. The layout is found by itself.',
    )
    .argument(
      '<root>',
      'folder of the dataset (Medical Segmentation Decathlon, nnU-Net, or images/ and labels/)',
    )
    .addOption(jobsOption())
    .addOption(jsonOption())
    .action(async (root: string, options: { readonly jobs: number; readonly json?: boolean }) => {
      const facts = await inspectWithProgress(root, options.jobs);
      if (options.json) printJson(jsonOf(facts));
      else if (facts.cases.length > 0) print(datasetTables(facts));
      requireGood(facts);
    }),
  [
    ['a dataset as it was downloaded', 'lunet data inspect Task04_Hippocampus'],
    ['all facts, also of each case and file', 'lunet data inspect Dataset004_Hippocampus --json'],
  ],
);

/** `--jobs`: cases that are read at a time. */
export function jobsOption(): Option {
  return new Option('--jobs <count>', 'cases at a time')
    .default(Math.min(availableParallelism(), 16))
    .argParser((value: string) => parseCount(value, 1024));
}

/** Inspects a dataset with a progress bar; prints warnings. */
export async function inspectWithProgress(root: string, jobs: number): Promise<DatasetFacts> {
  const progress = startCaseProgress('Inspecting');
  const signal = interruptSignal('nothing was written');
  const facts = await inspectDataset(root, { jobs, signal, progress: progress.update }).finally(
    progress.stop,
  );
  facts.warnings.forEach(warn);
  return facts;
}

/** Throws the faults of all files as one UserError of kind `data`, if there are any. */
export function requireGood({ faults }: DatasetFacts): void {
  if (faults.length > 0) throw new UserError('data', faults.join('\n'));
}

function jsonOf({ root, layout, cases, channels, labels, faults, warnings }: DatasetFacts): object {
  return {
    root,
    layout,
    ...(cases.length > 0 && {
      size: summariseExtents(cases.map(({ size }) => size)),
      spacing: summariseExtents(cases.map(({ spacing }) => spacing)),
    }),
    orientations: Object.fromEntries(countEach(cases.map(({ orientation }) => orientation))),
    channels,
    labels: summariseLabels(cases, labels),
    cases: cases.map(({ files, ...facts }) => ({
      ...facts,
      labels: Object.fromEntries(facts.labels),
      files: files.map(({ file, bytes, sha256 }) => ({ file: relative(root, file), bytes, sha256 })),
    })),
    faults,
    warnings,
  };
}

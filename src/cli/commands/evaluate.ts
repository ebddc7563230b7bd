// `lunet evaluate`: how well predicted label maps agree with references.

import { lstatSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { UserError } from '../../errors.js';
import { type Evaluation, evaluateCases } from '../../evaluation/cases.js';
import { type FoundCases, describedLabels, findCases } from '../../evaluation/find.js';
import { type Label, type LabelResult } from '../../evaluation/label-maps.js';
import { evaluationCsv, nnunetSummary } from '../../evaluation/outputs.js';
import { summariseLabel } from '../../evaluation/summary.js';
import { commitFile, makeFolder } from '../../runs/commit.js';
import { describeEvaluation, evaluationTable } from '../evaluation-table.js';
import { addExamples } from '../help.js';
import { jsonOption, parseCount, parseFolder } from '../options.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { note, print, printJson, warn } from '../terminal/output.js';
import { startProgress } from '../terminal/progress.js';

interface Options {
  readonly labels?: readonly Label[];
  readonly tolerance: number;
  readonly allowMissing?: boolean;
  readonly out?: string;
  readonly force?: boolean;
  readonly jobs: number;
  readonly json?: boolean;
}

export const command = addExamples(
  new Command('evaluate')
    .description(
      'Measures predicted label maps against references: Dice, IoU, HD95, ASSD, NSD and volumes of each case and label. ' +
        'Writes cases.csv and summary.json (the layout of nnU-Net).',
    )
    .argument('<reference>', 'label map (.nii, .nii.gz), or folder of them')
    .argument('<prediction>', 'label map on the same grid, or folder of them under the same names')
    .addOption(
      new Option(
        '--labels <name=value,...>',
        'what to measure: names with their values, 1+2 for a region (repeatable); default: as dataset.json says, which ' +
          'is looked for beside and above the references and beside the predictions, else every value of the references',
      ).argParser(parseLabels),
    )
    .addOption(
      new Option('--tolerance <mm>', 'distance within which surfaces agree, for the NSD')
        .default(1)
        .argParser(parseTolerance),
    )
    .option('--allow-missing', 'pass over references without a prediction, which are errors otherwise')
    .addOption(
      new Option(
        '--out <folder>',
        'where to write; default: the folder of predictions, and nothing for two files',
      ).argParser(parseFolder),
    )
    .option('--force', 'replace cases.csv and summary.json that are there')
    .addOption(
      new Option('--jobs <count>', 'cases at a time')
        .default(Math.min(availableParallelism(), 16))
        .argParser((value: string) => parseCount(value, 1024)),
    )
    .addOption(jsonOption())
    .action(evaluate),
  [
    ['two files', 'lunet evaluate reference.nii.gz prediction.nii.gz'],
    ['two folders, with the labels of their dataset.json', 'lunet evaluate labelsTs predictions'],
    [
      'other labels, and a region of two',
      'lunet evaluate labelsTs predictions --labels tumour=2,whole=1+2 --tolerance 2',
    ],
  ],
);

async function evaluate(reference: string, prediction: string, options: Options): Promise<void> {
  const { tolerance, force = false, allowMissing = false, jobs } = options;
  const found = await findCases(reference, prediction);
  const described = options.labels ? undefined : await describedLabels(reference, prediction);
  const labels = options.labels ?? described?.labels;
  const out = options.out ?? (found.folders ? prediction : undefined);
  if (out !== undefined) prepareFolder(out, force);
  if (described) note(`Labels: ${described.source}`);
  for (const warning of found.warnings) warn(warning);
  const signal = interruptSignal('nothing was written');
  const progress = startProgress('Evaluating', found.cases.length, 'case', { lines: 'tenths' });
  const evaluation = await evaluateCases(
    found.cases,
    { labels, ignore: described?.ignore, tolerance },
    { jobs, progress: (done) => progress.update(done), signal },
  ).finally(() => progress.stop());
  for (const warning of evaluation.warnings) warn(warning);
  const failed = failures(found, evaluation, allowMissing);
  if (evaluation.cases.length > 0) {
    if (options.json) printJson(jsonOf(evaluation, tolerance, out, failed));
    else print(evaluationTable(evaluation, tolerance));
    if (out !== undefined) {
      commitFile(join(out, 'cases.csv'), evaluationCsv(evaluation, tolerance));
      commitFile(join(out, 'summary.json'), nnunetSummary(evaluation, tolerance));
    }
    note(`\n${describeEvaluation(evaluation, tolerance)}`);
    if (out !== undefined)
      note(`\nWritten: ${join(out, 'cases.csv')}\n         ${join(out, 'summary.json')}`);
  }
  if (failed.length > 0) throw new UserError('data', failed.join('\n'));
}

/** Makes a folder for results; those of another evaluation must not be there. */
function prepareFolder(folder: string, force: boolean): void {
  const there = ['cases.csv', 'summary.json']
    .map((name) => join(folder, name))
    .find((file) => lstatSync(file, { throwIfNoEntry: false }) !== undefined);
  if (there !== undefined && !force)
    throw new UserError(
      'usage',
      `${there}: found results of an earlier evaluation; --force replaces them, --out FOLDER writes elsewhere`,
    );
  makeFolder(folder);
}

/** Cases that do not count, a line each. */
function failures(
  { unpredicted, unreferenced, cases }: FoundCases,
  { problems }: Evaluation,
  allowMissing: boolean,
): string[] {
  if (allowMissing && unpredicted.length > 0)
    warn(`${unpredicted.length} references have no prediction, and are passed over`);
  return [
    ...cases.flatMap(({ id }) => problems.get(id) ?? []),
    ...(allowMissing
      ? []
      : unpredicted.map((id) => `${id}: has no prediction (to pass over such cases: --allow-missing)`)),
    ...unreferenced.map((id) => `${id}: has no reference`),
  ];
}

/** JSON knows no NaN and no infinity: both are null, and counts of voxels tell which. */
function jsonOf(
  { labels, cases }: Evaluation,
  tolerance: number,
  out: string | undefined,
  failed: readonly string[],
): object {
  return {
    tolerance,
    ...(out !== undefined && { out }),
    labels: labels.map((label, i) => ({
      ...label,
      ...summariseLabel(cases.map(({ results }) => results[i] as LabelResult)),
    })),
    cases: cases.map(({ id, reference, prediction, results }) => ({
      case: id,
      reference,
      prediction,
      labels: results.map(({ label, measures, counts, referenceVolume, predictionVolume }) => ({
        label: label.name,
        ...measures,
        ...counts,
        referenceVolume,
        predictionVolume,
      })),
    })),
    failed,
  };
}

function parseLabels(text: string, previous: readonly Label[] = []): Label[] {
  const labels = text.split(',').map((part) => {
    const [, name, values] = /^\s*([^=]*[^=\s])\s*=\s*([\d\s+]+)$/.exec(part) ?? [];
    const numbers = values?.split('+').map(Number) ?? [];
    if (name === undefined || !numbers.every((value) => Number.isSafeInteger(value) && value > 0))
      throw new InvalidArgumentError('expected names with values from 1, such as liver=1,both=1+2');
    return { name, values: [...new Set(numbers)] };
  });
  const all = [...previous, ...labels];
  const twice = all.find(({ name }, i) => all.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined)
    throw new InvalidArgumentError(`expected each name once, found ${twice.name} again`);
  return all;
}

function parseTolerance(text: string): number {
  const tolerance = Number(text);
  if (text.trim() === '' || !Number.isFinite(tolerance) || tolerance < 0)
    throw new InvalidArgumentError('expected a distance in mm, 0 or more');
  return tolerance;
}

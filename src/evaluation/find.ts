// Finds the pairs of files to compare, and the meaning of the values in them.

import { lstatSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { labelValues, readDatasetJson } from '../data/layouts/dataset-json.js';
import { caseId, listVolumes } from '../data/layouts/paths.js';
import { throwAll } from '../data/layouts/pairing.js';
import { UserError } from '../errors.js';
import { fsReason } from '../fs-reason.js';
import { type CasePaths } from './files.js';
import { type Label } from './label-maps.js';

/** The cases of an evaluation. */
export interface FoundCases {
  /** Whether two folders were given. */
  readonly folders: boolean;
  /** Sorted by name. */
  readonly cases: readonly CasePaths[];
  /** Names of references without a prediction, and of predictions without a reference. */
  readonly unpredicted: readonly string[];
  readonly unreferenced: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Two files, or the files of two folders with the same names up to the ending. Throws a UserError of kind `data` if something is
 * missing or exists twice, of kind `usage` for a file and a folder.
 */
export async function findCases(reference: string, prediction: string): Promise<FoundCases> {
  const [folders, other] = [isFolder(reference), isFolder(prediction)];
  if (folders !== other)
    throw new UserError(
      'usage',
      `found a ${folders ? 'folder' : 'file'} (${reference}) and a ${other ? 'folder' : 'file'} (${prediction}), ` +
        'expected two files or two folders',
    );
  const warnings: string[] = [];
  const whole = { unpredicted: [], unreferenced: [], warnings };
  if (!folders)
    return { ...whole, folders, cases: [{ id: caseId(basename(prediction)), reference, prediction }] };
  const references = await volumesOf(reference, warnings);
  const predictions = await volumesOf(prediction, warnings);
  const cases = [...references].flatMap(([id, file]): CasePaths[] => {
    const found = predictions.get(id);
    return found === undefined ? [] : [{ id, reference: file, prediction: found }];
  });
  const without = (ids: Iterable<string>, others: ReadonlyMap<string, string>): string[] =>
    [...ids].filter((id) => !others.has(id));
  if (cases.length === 0)
    throw new UserError(
      'data',
      `${prediction}: found no file named as one of ${reference}: expected predictions under the names of their ` +
        `references (${[...references.keys()].slice(0, 3).join(', ')}${references.size > 3 ? ', ...' : ''})`,
    );
  return {
    folders,
    cases,
    unpredicted: without(references.keys(), predictions),
    unreferenced: without(predictions.keys(), references).filter((id) => !areProbabilities(id, predictions)),
    warnings,
  };
}

/** The end of the name of the probabilities that `lunet predict` writes beside a label map. */
export const PROBABILITIES = '_probabilities';

/** Whether a file has the probabilities of another prediction. */
function areProbabilities(id: string, predictions: ReadonlyMap<string, string>): boolean {
  return id.endsWith(PROBABILITIES) && predictions.has(id.slice(0, -PROBABILITIES.length));
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw new UserError(
      'data',
      `${path}: ${fsReason(error)}; expected label maps (.nii, .nii.gz) or a folder of them`,
    );
  }
}

/** Volumes of a folder by case. */
async function volumesOf(folder: string, warnings: string[]): Promise<Map<string, string>> {
  const names = await listVolumes(folder, '.', { followLinks: true }, warnings);
  if (names.length === 0)
    throw new UserError('data', `${folder}: found no volume, expected label maps (.nii, .nii.gz)`);
  const files = new Map<string, string>();
  const problems: string[] = [];
  for (const name of names) {
    const id = caseId(name);
    const known = files.get(id);
    if (known !== undefined)
      problems.push(`${folder}: found two files of ${id}: ${basename(known)} and ${name}`);
    files.set(id, join(folder, name));
  }
  throwAll(problems);
  return files;
}

/** Labels and their source. */
export interface DescribedLabels {
  readonly labels: readonly Label[];
  readonly ignore?: number;
  readonly source: string;
}

/**
 * The labels and regions of the dataset.json beside the references, in the folder above them or beside the predictions, in the
 * forms of nnU-Net and the Decathlon; undefined if there is none with labels. Without background; the label `ignore` (nnU-Net)
 * is separate. Throws a UserError of kind `data` if the file is damaged.
 */
export async function describedLabels(
  reference: string,
  prediction: string,
): Promise<DescribedLabels | undefined> {
  const beside = (path: string): string => (isFolder(path) ? path : dirname(path));
  const folders = [beside(reference), dirname(beside(reference)), beside(prediction)];
  for (const folder of folders) {
    if (lstatSync(join(folder, 'dataset.json'), { throwIfNoEntry: false }) === undefined) continue;
    const file = await readDatasetJson(folder);
    const problems: string[] = [];
    const named = labelValues(file, problems);
    throwAll(problems.map((problem) => `${file.source}: ${problem}`));
    if (named === undefined) continue;
    const ignore = named.get('ignore')?.[0];
    const labels = [...named]
      .map(([name, values]) => ({ name, values: values.filter((value) => value !== 0) }))
      .filter(({ name, values }) => name !== 'ignore' && values.length > 0);
    return { labels, source: file.source, ...(ignore !== undefined && { ignore }) };
  }
  return undefined;
}

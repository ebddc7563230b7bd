// Reads the folds of a cross-validation from a file in the form of nnU-Net's splits_final.json: a list with an object for each
// fold, {"train": [case ids], "val": [case ids]}. nnU-Net evaluates a fold on its `val`, so these are its test cases here.

import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { UserError } from '../errors.js';
import { fsReason } from '../fs-reason.js';
import { expandHome } from '../home-folder.js';
import { describe } from './problems.js';
import { type DeclaredExperiment } from './schema.js';
import { repeatedCases } from './splits.js';

/** The case ids of a fold. */
interface FoldLists {
  readonly train: string[];
  readonly validation: string[];
  readonly test: string[];
}

const MAX_PROBLEMS = 20;

/**
 * Fills in the folds of `dataset.split.file`, if the experiment has such a file and not its folds already. Throws a UserError of
 * kind `data` with a line for each problem of the file.
 */
export function withFolds(experiment: DeclaredExperiment): DeclaredExperiment {
  const { split, root } = experiment.dataset;
  if (split === undefined || !('file' in split) || split.lists !== undefined) return experiment;
  const file = expandHome(split.file);
  const path = isAbsolute(file) || root === undefined ? file : join(expandHome(root), file);
  const lists = parseFolds(readJson(path), path);
  return { ...experiment, dataset: { ...experiment.dataset, split: { ...split, lists } } };
}

function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(
      'data',
      `${path}: ${fsReason(error)}; expected the folds of dataset.split.file, as in nnU-Net's splits_final.json`,
    );
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UserError('data', `${path}: is not JSON: ${(error as Error).message}`);
  }
}

function parseFolds(value: unknown, path: string): FoldLists[] {
  const form = '[{"train": [case ids], "val": [case ids]}, ...]';
  if (!Array.isArray(value) || value.length === 0)
    throw new UserError('data', `${path}: found ${describe(value)}, expected a list of folds: ${form}`);
  const problems: string[] = [];
  const folds = value.map((fold: unknown, at): FoldLists => {
    const idsOf = (key: 'train' | 'val'): string[] => {
      const ids = (fold as Partial<Record<string, unknown>> | null)?.[key];
      if (Array.isArray(ids) && ids.length > 0 && ids.every((id) => typeof id === 'string'))
        return ids.map((id) => id.normalize('NFC'));
      problems.push(`${path}: fold ${at}: ${key}: found ${describe(ids)}, expected a list of case ids`);
      return [];
    };
    const lists = { train: idsOf('train'), val: idsOf('val') };
    for (const { id, list, first } of repeatedCases(lists))
      problems.push(`${path}: fold ${at}: ${list}: found ${id}, which is in ${first} already`);
    return { train: lists.train, validation: [], test: lists.val };
  });
  if (problems.length === 0) return folds;
  const more = problems.length - MAX_PROBLEMS;
  throw new UserError(
    'data',
    [...problems.slice(0, MAX_PROBLEMS), ...(more > 0 ? [`and ${more} more problems`] : [])].join('\n'),
  );
}

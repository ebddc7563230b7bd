// Opens a model that is given on the command line as a model file or as the folder of a run.

import { statSync } from 'node:fs';
import { UserError } from '../errors.js';
import { FILES } from './folders.js';
import { type OpenedModel, readModel, readRunModel } from './network-file.js';
import { readRun } from './run.js';

/** Whether a path is a folder. */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The model in a file or in the folder of a run. Throws a UserError of kind `data` if it is missing or damaged. */
export function openModel(path: string): OpenedModel {
  return isFolder(path) ? ofRun(path) : readModel(path);
}

function ofRun(folder: string): OpenedModel {
  const record = readRun(folder);
  if (record === undefined)
    throw new UserError(
      'data',
      `${folder}: found no ${FILES.record}, expected the folder of a run such as runs/EXPERIMENT/train/MODEL/seed-1, or a model file`,
    );
  return readRunModel(folder, record);
}

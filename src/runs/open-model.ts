// Opens a model that is given on the command line as a model file or as the folder of a run.

import { readFileSync, statSync } from 'node:fs';
import { UserError } from '../errors.js';
import { type Model } from '../model/model.js';
import { FILES } from './folders.js';
import { readModel, readRunModel } from './network-file.js';
import { readRun } from './run.js';
import { sha256 } from '../sha256.js';

/** A model and its source. */
export interface OpenedModel {
  readonly model: Model;
  readonly path: string;
  /** SHA-256 of the file. */
  readonly digest: string;
}

/** Whether a path is a folder. */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The model in a file or in the folder of a run. Throws a UserError of kind `data` if it is missing or damaged. */
export function openModel(path: string): OpenedModel {
  const found = isFolder(path) ? ofRun(path) : { model: readModel(path), path };
  return { ...found, digest: sha256(readFileSync(found.path)) };
}

function ofRun(folder: string): Pick<OpenedModel, 'model' | 'path'> {
  const record = readRun(folder);
  if (record === undefined)
    throw new UserError(
      'data',
      `${folder}: found no ${FILES.record}, expected the folder of a run such as runs/EXPERIMENT/train/MODEL/seed-1, or a model file`,
    );
  return readRunModel(folder, record);
}

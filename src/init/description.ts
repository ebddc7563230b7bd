// What dataset.json says of a dataset besides its cases.

import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { labelValues, readDatasetJson } from '../data/layouts/dataset-json.js';
import { throwAll } from '../data/layouts/pairing.js';

export interface DatasetDescription {
  /** The folder's name, as the name of an experiment. */
  readonly name: string;
  /** Names with their label values, without background and the ignore label; undefined if dataset.json has none. */
  readonly labels: readonly (readonly [name: string, values: number[]])[] | undefined;
  /** nnU-Net's label of voxels that count neither as right nor as wrong. */
  readonly ignore: number | undefined;
  readonly licence: string | undefined;
  /** Whether nnU-Net's file of folds is there. */
  readonly foldsFile: string | undefined;
}

const FOLDS_FILE = 'splits_final.json';

/** Reads the description of the dataset in a folder. Throws a UserError of kind `data` for a damaged dataset.json. */
export async function describeDataset(root: string): Promise<DatasetDescription> {
  const foldsFile = existsSync(join(root, FOLDS_FILE)) ? FOLDS_FILE : undefined;
  const name = experimentName(basename(resolve(root)));
  if (!existsSync(join(root, 'dataset.json')))
    return { name, labels: undefined, ignore: undefined, licence: undefined, foldsFile };
  const file = await readDatasetJson(root);
  const problems: string[] = [];
  const values = labelValues(file, problems);
  throwAll(problems.map((problem) => `${file.source}: ${problem}`));
  const licence = file.json['licence'] ?? file.json['license'];
  return {
    name,
    labels:
      values &&
      [...values]
        .map(([label, of]) => [label, of.filter((value) => value !== 0)] as const)
        .filter(([label, of]) => label !== 'ignore' && of.length > 0),
    ignore: values?.get('ignore')?.[0],
    licence: typeof licence === 'string' && licence.trim() !== '' ? licence.trim() : undefined,
    foldsFile,
  };
}

function experimentName(folder: string): string {
  const name = folder
    .normalize('NFC')
    .replace(/[^\p{L}\p{N} ._@+-]+/gu, '-')
    .replace(/^[^\p{L}\p{N}]+/u, '')
    .slice(0, 100);
  return name === '' ? 'experiment' : name;
}

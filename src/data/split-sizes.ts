// The numbers of cases in the parts of each split.

import { type Experiment } from '../config/schema.js';
import { hasFolds, namedSplits } from '../config/splits.js';
import { listSplits } from './dataset.js';

/** Numbers of cases of a split. */
export interface SplitSizes {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

/** The numbers of cases of each split: those of the config, if they do not depend on the files that there are. */
export function configuredSizes(config: Experiment): ReadonlyMap<string, SplitSizes> {
  return new Map(
    [...namedSplits(config)].flatMap(([name, split]) => ('fold' in split ? [] : [[name, sizesOf(split)]])),
  );
}

/** The numbers of cases of each split. For folds, lists the files of the data set, and throws like `checkDataset`. */
export async function splitSizes(config: Experiment): Promise<ReadonlyMap<string, SplitSizes>> {
  if (!hasFolds(config)) return configuredSizes(config);
  return new Map([...(await listSplits(config))].map(([name, split]) => [name, sizesOf(split)]));
}

type Part = number | readonly string[];

function sizesOf({ train, validation, test }: Readonly<Record<keyof SplitSizes, Part>>): SplitSizes {
  const count = (part: Part): number => (typeof part === 'number' ? part : part.length);
  return { train: count(train), validation: count(validation), test: count(test) };
}

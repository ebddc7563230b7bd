// Chooses the cases for training, validation and testing.

import { type Experiment, type SplitConfig } from '../config/schema.js';
import { suggestion } from '../config/suggest.js';
import { UserError } from '../errors.js';
import { shuffled, stream } from '../random.js';

/** Ids of training, validation and test cases; no case is in two lists. */
export interface Split {
  readonly train: readonly string[];
  readonly validation: readonly string[];
  readonly test: readonly string[];
}

/**
 * Chooses the cases of a split: the listed ones, or the wanted numbers in a random order from the seed of the split.
 * Throws a UserError of kind `data` if there are too few, or if a listed case does not exist.
 */
export function chooseSplit(ids: readonly string[], split: SplitConfig, key: string): Split {
  const { train, validation, test } = split;
  if (typeof train !== 'number' || typeof test !== 'number') return listedSplit(ids, split, key);
  const held = typeof validation === 'number' ? validation : 0;
  const wanted = train + held + test;
  if (wanted > ids.length)
    throw new UserError(
      'data',
      `${key}: found ${ids.length} cases, but train ${train} + validation ${held} + test ${test} ask for ${wanted}`,
    );
  const order = shuffled([...ids].sort(), stream(split.seed, 'split'));
  return {
    train: order.slice(0, train),
    test: order.slice(train, train + test),
    validation: order.slice(train + test, wanted),
  };
}

/** The cases that the splits list; undefined if a split draws its cases at random, so that any case may be used. */
export function listedCases({ dataset }: Experiment): ReadonlySet<string> | undefined {
  const splits = [...Object.values(dataset.splits ?? {}), ...(dataset.split ? [dataset.split] : [])];
  const parts = splits.flatMap(({ train, validation, test }) => [train, validation, test]);
  // Beside lists, 0 means no validation cases.
  if (parts.some((part) => typeof part === 'number' && part > 0)) return undefined;
  return new Set(parts.flatMap((part) => (Array.isArray(part) ? part.map((id) => id.normalize('NFC')) : [])));
}

function listedSplit(ids: readonly string[], split: SplitConfig, key: string): Split {
  const known = new Set(ids);
  const missing: string[] = [];
  const pick = (part: 'train' | 'validation' | 'test'): string[] => {
    const listed = split[part];
    const names = (Array.isArray(listed) ? listed : []).map((id) => id.normalize('NFC'));
    for (const id of names)
      if (!known.has(id)) missing.push(`${key}.${part}: there is no case ${id}${suggestion(id, ids)}`);
    return names;
  };
  const parts = { train: pick('train'), validation: pick('validation'), test: pick('test') };
  if (missing.length > 0) throw new UserError('data', missing.slice(0, 20).join('\n'));
  return parts;
}

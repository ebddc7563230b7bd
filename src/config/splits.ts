// The splits of an experiment by name: one that needs no name, several named ones, or the folds of a cross-validation.

import { type Experiment, type SplitConfig } from './schema.js';

/** One of several folds that are drawn at random. */
export interface FoldConfig {
  readonly folds: number;
  readonly seed: number;
  readonly validation: number;
  /** From 0. */
  readonly fold: number;
}

type Dataset = Pick<Experiment, 'dataset'>;

/** The splits of an experiment in order; one without a name is called `default`, folds are called `fold-0`, `fold-1` ... */
export function namedSplits({
  dataset: { split, splits },
}: Dataset): ReadonlyMap<string, SplitConfig | FoldConfig> {
  if (split === undefined) return new Map(Object.entries(splits ?? {}));
  if ('folds' in split)
    return new Map(
      Array.from({ length: split.folds }, (_, fold) => [`fold-${fold}`, { ...split, fold }] as const),
    );
  if ('file' in split)
    return new Map(split.lists.map((lists, fold) => [`fold-${fold}`, { ...lists, seed: 0 }] as const));
  return new Map([['default', split]]);
}

/** Whether the splits are the folds of a cross-validation. */
export function hasFolds({ dataset: { split } }: Dataset): boolean {
  return split !== undefined && ('folds' in split || 'file' in split);
}

/** Whether the splits have names that users see: in folders, tables and command lines. */
export function hasNamedSplits(config: Dataset): boolean {
  return config.dataset.splits !== undefined || hasFolds(config);
}

/** Each case that lists of case ids contain again, with the list where it is found again and the one that has it already. */
export function repeatedCases(
  lists: Readonly<Record<string, readonly string[]>>,
): { readonly id: string; readonly list: string; readonly first: string }[] {
  const owner = new Map<string, string>();
  return Object.entries(lists).flatMap(([list, ids]) =>
    ids.flatMap((id) => {
      const first = owner.get(id);
      owner.set(id, list);
      return first === undefined ? [] : [{ id, list, first }];
    }),
  );
}

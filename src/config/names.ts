// Finds names that could be confused with others by file systems, in tables or in figures.

import { CRITERIA } from '../pruning/criteria/index.js';
import { STRATEGIES } from '../pruning/strategies/index.js';
import { modelName } from './models.js';
import { type Problem } from './problems.js';
import { type DeclaredExperiment } from './schema.js';

type Named = Partial<Pick<DeclaredExperiment, 'experiment' | 'dataset' | 'models'>>;

/** All problems of names of labels, splits and models that are valid on their own. */
export function nameProblems({ experiment, dataset, models }: Named): Problem[] {
  return [
    ...lengthProblems(['experiment'], experiment ?? ''),
    ...labelProblems(Object.keys(dataset?.labels ?? {})),
    ...splitProblems(Object.keys(dataset?.splits ?? {})),
    ...modelProblems(models?.map(modelName) ?? []),
  ];
}

/** Column names keep only letters and digits of a label, and some CSV readers ignore case. */
function labelProblems(labels: readonly string[]): Problem[] {
  const column = (label: string): string =>
    folded(label)
      .replace(/[^\p{L}\p{N}]+/gu, '_')
      .replace(/_$/, '');
  const twice = alike(labels, column).map(([a, b]) => ({
    path: ['dataset', 'labels'],
    message: `found two labels with the same column name ${column(b)}, ${a} and ${b}; expected names that differ in letters or digits`,
  }));
  const reserved = labels
    .filter((label) => column(label) === 'mean')
    .map((label): Problem => ({
      path: ['dataset', 'labels', label],
      message: 'found this name, expected another one: the mean over labels is called mean',
      at: 'key',
    }));
  return [...twice, ...reserved];
}

function splitProblems(splits: readonly string[]): Problem[] {
  const path = (name: string): Problem['path'] => ['dataset', 'splits', name];
  const twice = alike(splits, folded).map(([a, b]): Problem => ({
    path: path(b),
    message: `found ${tellApart(a, b)}; rename one of them`,
    at: 'key',
  }));
  return [...twice, ...splits.flatMap((split) => lengthProblems(path(split), split))];
}

function modelProblems(names: readonly string[]): Problem[] {
  const path = (name: string): Problem['path'] => ['models', names.lastIndexOf(name), 'name'];
  const twice = alike(names, folded).map(([a, b]) => ({
    path: path(b),
    message: `found ${a === b ? `two models named ${a}` : tellApart(a, b)}; rename one of them`,
  }));
  const taken = names.flatMap((name) => {
    const reason = takenFor(folded(name), names.map(folded));
    return reason === undefined
      ? []
      : [{ path: path(name), message: `found ${name}, expected a name that is not ${reason}` }];
  });
  return [...twice, ...taken, ...names.flatMap((name) => lengthProblems(path(name), name))];
}

/** File systems allow names of 255 bytes, and names of folders and figures contain these names and more. */
function lengthProblems(path: Problem['path'], name: string): Problem[] {
  const bytes = Buffer.byteLength(name);
  return bytes <= MOST_BYTES
    ? []
    : [
        {
          path,
          message: `found a name of ${bytes} bytes, expected at most ${MOST_BYTES}: it becomes part of file names`,
        },
      ];
}

const MOST_BYTES = 180;

const strategies = STRATEGIES.join('|');
const PRUNING_RUN = new RegExp(`^(?:${strategies})(?:-(?:${CRITERIA.join('|')}))?(?:@.*)?(?:-trained)?$`);

/** What the results of a model of this name could be confused with; undefined for a good name. */
function takenFor(name: string, others: readonly string[]): string | undefined {
  const point = / (?:best|final|chosen on validation)$/.exec(name)?.[0];
  if (point !== undefined) return `like that of a network of a pruning run: it ends in${point}`;
  if (PRUNING_RUN.test(name)) return `that of pruning runs (${STRATEGIES.join(', ')})`;
  if (/^seed-\d+$/.test(name)) return "that of a seed's folder";
  const base = /^(.+)-trained$/.exec(name)?.[1];
  if (base !== undefined && others.includes(base))
    return `that of pruning runs which start from the trained ${base}`;
  return undefined;
}

/**
 * The form of a name in which names must differ: some file systems ignore case, Unicode forms of one letter, and dots and
 * spaces at the end, and pages show several spaces as one.
 */
function folded(name: string): string {
  return name
    .normalize('NFKC')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC')
    .replace(/ +/g, ' ')
    .replace(/[. ]+$/, '');
}

const tellApart = (a: string, b: string): string =>
  `${JSON.stringify(a)} and ${JSON.stringify(b)}, which some file systems or tables treat as the same name`;

/** Pairs of an earlier name and a later one with the same key. */
function alike(names: readonly string[], key: (name: string) => string): [string, string][] {
  const first = new Map<string, string>();
  return names.flatMap((name): [string, string][] => {
    const earlier = first.get(key(name));
    if (earlier === undefined) first.set(key(name), name);
    return earlier === undefined ? [] : [[earlier, name]];
  });
}

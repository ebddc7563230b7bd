// Chooses the cases for training, validation and testing.

import { type Experiment, type SplitConfig } from '../config/schema.js';
import { type FoldConfig, namedSplits } from '../config/splits.js';
import { suggestion } from '../config/suggest.js';
import { UserError } from '../errors.js';
import { shuffled, stream } from '../random.js';
import { type Patient, inOrder, patientsOf, takeCases } from './patients.js';

/** Ids of training, validation and test cases; no case is in two lists. */
export interface Split {
  readonly train: readonly string[];
  readonly validation: readonly string[];
  readonly test: readonly string[];
}

const PARTS = ['train', 'validation', 'test'] as const;

/**
 * Chooses the cases of every split of an experiment. No patient, as found by `dataset.groups`, is in two parts of a split.
 * Throws a UserError of kind `data` that names every case of a list that does not exist, or says why the wanted numbers are
 * impossible.
 */
export function chooseSplits(ids: readonly string[], config: Experiment): ReadonlyMap<string, Split> {
  const { split, groups } = config.dataset;
  const listed = listedCases(config);
  if (split !== undefined && 'file' in split) requireKnown([...(listed ?? [])], ids, split.file);
  const patients = patientsOf(listed === undefined ? ids : ids.filter((id) => listed.has(id)), groups);
  return new Map(
    [...namedSplits(config)].map(([name, settings]) => {
      if ('fold' in settings) return [name, chooseFold(patients, settings)];
      return [name, chooseParts(ids, patients, settings, placeOf(config, name))];
    }),
  );
}

/** Where the parts of a split are given. */
function placeOf({ dataset: { split, splits } }: Experiment, name: string): string {
  if (splits !== undefined) return `dataset.splits.${name}`;
  return split !== undefined && 'file' in split ? `${split.file}: ${name}` : 'dataset.split';
}

/** The listed cases, or the wanted numbers in a random order from the seed of the split. */
function chooseParts(
  ids: readonly string[],
  patients: readonly Patient[],
  split: SplitConfig,
  key: string,
): Split {
  const { train, validation, test } = split;
  if (typeof train !== 'number' || typeof test !== 'number') return listedSplit(ids, patients, split, key);
  const held = typeof validation === 'number' ? validation : 0;
  const wanted = train + held + test;
  if (wanted > ids.length)
    throw new UserError(
      'data',
      `${key}: found ${ids.length} cases, but train ${train} + validation ${held} + test ${test} ask for ${wanted}`,
    );
  const order = shuffled(patients, stream(split.seed, 'split'));
  const trained = takeCases(order, train, `${key}.train`);
  const tested = takeCases(trained.left, test, `${key}.test`);
  const validated = takeCases(tested.left, held, `${key}.validation`);
  return { train: trained.cases, test: tested.cases, validation: validated.cases };
}

/**
 * One fold. Every patient is tested in one fold; numbers of patients differ by at most one between folds, and numbers of cases
 * by as little as the sizes of patients allow. Validation cases are drawn from the other patients.
 */
function chooseFold(patients: readonly Patient[], { folds, seed, validation, fold }: FoldConfig): Split {
  if (patients.length < folds)
    throw new UserError(
      'data',
      `dataset.split.folds: found ${folds}, expected at most ${patients.length}, the number of ` +
        `${patients.some(({ cases }) => cases.length > 1) ? 'patients' : 'cases'}`,
    );
  const order = shuffled(patients, stream(seed, 'folds'));
  const tested = inFolds(order, folds)[fold] as ReadonlySet<Patient>;
  const others = order.filter((patient) => !tested.has(patient));
  const available = others.reduce((sum, { cases }) => sum + cases.length, 0);
  if (validation >= available)
    throw new UserError(
      'data',
      `dataset.split.validation: found ${validation}, expected less than the ${available} cases that fold-${fold} does not test`,
    );
  const validated = takeCases(
    shuffled(others, stream(seed, 'folds', 'validation', fold)),
    validation,
    'dataset.split.validation',
  );
  const held = new Set(validated.cases);
  return {
    train: inOrder(others).filter((id) => !held.has(id)),
    validation: validated.cases,
    test: inOrder(order.filter((patient) => tested.has(patient))),
  };
}

/** Deals patients out, those with most cases first, each to the fold with fewest patients, and among these fewest cases. */
function inFolds(patients: readonly Patient[], folds: number): ReadonlySet<Patient>[] {
  const dealt = Array.from({ length: folds }, () => ({ patients: new Set<Patient>(), cases: 0 }));
  for (const patient of [...patients].sort((a, b) => b.cases.length - a.cases.length)) {
    const next = dealt.reduce((least, each) =>
      each.patients.size < least.patients.size ||
      (each.patients.size === least.patients.size && each.cases < least.cases)
        ? each
        : least,
    );
    next.patients.add(patient);
    next.cases += patient.cases.length;
  }
  return dealt.map((each) => each.patients);
}

/** The cases that the splits list; undefined if a split draws its cases at random, so that any case may be used. */
export function listedCases(config: Experiment): ReadonlySet<string> | undefined {
  const splits = [...namedSplits(config).values()];
  if (splits.some((split) => 'fold' in split)) return undefined;
  const parts = (splits as SplitConfig[]).flatMap((split) => PARTS.map((part) => split[part]));
  // Beside lists, 0 means no validation cases.
  if (parts.some((part) => typeof part === 'number' && part > 0)) return undefined;
  return new Set(parts.flatMap((part) => (Array.isArray(part) ? part.map((id) => id.normalize('NFC')) : [])));
}

function listedSplit(
  ids: readonly string[],
  patients: readonly Patient[],
  split: SplitConfig,
  key: string,
): Split {
  const listed = (part: (typeof PARTS)[number]): string[] => {
    const names = split[part];
    return (Array.isArray(names) ? names : []).map((id) => id.normalize('NFC'));
  };
  const parts = { train: listed('train'), validation: listed('validation'), test: listed('test') };
  const known = new Set(ids);
  const missing = PARTS.flatMap((part) =>
    parts[part].filter((id) => !known.has(id)).map((id) => noCase(`${key}.${part}`, id, ids)),
  );
  throwLines(missing);
  throwLines(patients.flatMap((patient) => inTwoParts(patient, parts, key)));
  return parts;
}

/** The message for a patient with cases in two parts of a split. */
function inTwoParts({ name, cases }: Patient, parts: Split, key: string): string[] {
  const found = PARTS.flatMap((part) => {
    const first = cases.find((id) => parts[part].includes(id));
    return first === undefined ? [] : [`${part} (${first})`];
  });
  return found.length < 2
    ? []
    : [`${key}: found cases of patient ${name} in ${found.join(' and ')}, expected all in one part`];
}

function requireKnown(listed: readonly string[], ids: readonly string[], source: string): void {
  const known = new Set(ids);
  throwLines(listed.filter((id) => !known.has(id)).map((id) => noCase(source, id, ids)));
}

const noCase = (place: string, id: string, ids: readonly string[]): string =>
  `${place}: there is no case ${id}${suggestion(id, ids)}`;

function throwLines(lines: readonly string[]): void {
  if (lines.length > 0) throw new UserError('data', lines.slice(0, 20).join('\n'));
}

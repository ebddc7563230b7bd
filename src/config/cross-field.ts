// Checks that involve several keys of an experiment, or a key and the resulting network.

import { augmentationProblems, augmentationSettings } from './augmentation.js';
import { modelName } from './models.js';
import { nameProblems } from './names.js';
import { type Problem, describe } from './problems.js';
import { type DeclaredExperiment, type ModelConfig, type SplitConfig } from './schema.js';
import { repeatedCases } from './splits.js';
import { suggestion } from './suggest.js';
import { trainingProblems } from './training.js';
import { sizeMultiple, windowSize } from './window.js';

/** The sections of an experiment that are valid on their own. */
export type Sections = Partial<DeclaredExperiment>;

/**
 * Finds combinations of keys that are impossible although each key is valid on its own. A section that has other problems
 * is missing here, and checks that need it are skipped.
 */
export function crossFieldProblems(sections: Sections): Problem[] {
  return [
    ...nameProblems(sections),
    ...datasetProblems(sections),
    ...preprocessingProblems(sections),
    ...modelProblems(sections),
    ...windowProblems(sections),
    ...(sections.training ? augmentationProblems(sections.training.augmentation) : []),
    ...inferenceProblems(sections),
    ...trainingProblems(sections),
    ...pruningProblems(sections),
    ...listProblems(sections),
  ];
}

function datasetProblems({ dataset }: Sections): Problem[] {
  if (!dataset) return [];
  const problems: Problem[] = [];
  if (dataset.layout !== 'phantom' && dataset.root === undefined)
    problems.push({
      path: ['dataset', 'root'],
      message: `missing, expected the dataset's folder (or: --set dataset.root=DIR)`,
      at: 'parent',
    });
  if (dataset.layout === 'phantom' && dataset.root !== undefined)
    problems.push({
      path: ['dataset', 'root'],
      message:
        `found ${describe(dataset.root)}, expected none: layout phantom reads no files ` +
        '(to read files, set dataset.layout to decathlon, nnunet or folders)',
    });
  if ((dataset.split === undefined) === (dataset.splits === undefined))
    problems.push({
      path: ['dataset'],
      message: `found ${dataset.split === undefined ? 'neither' : 'both'} of split and splits, expected one`,
    });
  const splits = Object.entries(dataset.splits ?? {}).map(([key, split]) => ({
    path: ['dataset', 'splits', key],
    split,
  }));
  const { split } = dataset;
  if (split && 'train' in split) splits.push({ path: ['dataset', 'split'], split });
  for (const { path, split } of splits) {
    problems.push(...splitProblems(path, split));
    const { train, validation, test } = split;
    if (typeof train !== 'number' || typeof validation !== 'number' || typeof test !== 'number') continue;
    const wanted = train + validation + test;
    if (dataset.layout === 'phantom' && wanted > dataset.phantom.cases)
      problems.push({
        path,
        message: `found ${wanted} cases, expected at most the ${dataset.phantom.cases} of dataset.phantom.cases`,
      });
  }
  for (const [label, values] of Object.entries(dataset.labels))
    for (const value of duplicates([values].flat()))
      problems.push({ path: ['dataset', 'labels', label], message: `found the value ${value} twice` });
  for (const [label, values] of Object.entries(dataset.labels))
    if ([values].flat().some((value) => value === dataset.ignore))
      problems.push({
        path: ['dataset', 'ignore'],
        message: `found ${dataset.ignore}, which belongs to the label ${label}, expected a value of no label`,
      });
  return problems;
}

function preprocessingProblems({ preprocessing, dataset }: Sections): Problem[] {
  if (!preprocessing) return [];
  const { normalisation, spacing } = preprocessing;
  const path = ['preprocessing', 'normalisation'];
  const all = Array.isArray(normalisation) ? normalisation : [normalisation];
  const problems = all.flatMap((how, i): Problem[] => {
    if (typeof how === 'string') return [];
    const [key, [low, high]] = Object.entries(how)[0] as [string, [number, number]];
    return low < high
      ? []
      : [
          {
            path: [...path, ...(Array.isArray(normalisation) ? [i] : []), key],
            message: `found [${low}, ${high}], expected the lower value first`,
          },
        ];
  });
  const channels = dataset?.channels?.length;
  if (Array.isArray(normalisation) && channels !== undefined && normalisation.length !== channels)
    problems.push({
      path,
      message: `found ${normalisation.length} entries, expected one for each of the ${channels} of dataset.channels`,
    });
  for (const key of ['antialias', 'anisotropic'] as const)
    if (preprocessing[key] && spacing === undefined)
      problems.push({
        path: ['preprocessing', key],
        message: 'found true without preprocessing.spacing, expected a spacing to resample to',
      });
  return problems;
}

function splitProblems(path: string[], split: SplitConfig): Problem[] {
  const problems: Problem[] = [];
  const parts = ['train', 'validation', 'test'] as const;
  for (const part of ['train', 'test'] as const)
    if ([split[part]].flat().length === 0 || split[part] === 0)
      problems.push({ path: [...path, part], message: 'found no case, expected at least one' });
  const listed = parts.filter((part) => Array.isArray(split[part]));
  if (listed.length > 0)
    for (const part of parts)
      if (!listed.includes(part) && split[part] !== 0)
        problems.push({
          path: [...path, part],
          message: `found a count beside a list (${listed.join(', ')}), expected lists of case ids or counts only`,
        });
  const lists = Object.fromEntries(listed.map((part) => [part, split[part] as string[]]));
  for (const { id, list, first } of repeatedCases(lists))
    problems.push({ path: [...path, list], message: `found ${id}, which is in ${first} already` });
  return problems;
}

function modelProblems({ models }: Sections): Problem[] {
  if (!models) return [];
  const problems: Problem[] = [];
  for (const [index, model] of models.entries()) {
    if (model.family !== 'explicit') continue;
    for (const side of ['decoder', 'up'] as const)
      if (model[side].length !== model.encoder.length - 1)
        problems.push({
          path: ['models', index, side],
          message: `found ${model[side].length} levels, expected ${model.encoder.length - 1}: one fewer than the encoder`,
        });
  }
  return problems;
}

/** A network sees whole volumes of one size or patches of one size, which its levels must be able to halve. */
function windowProblems({ models, preprocessing, training }: Sections): Problem[] {
  if (!preprocessing || !training) return [];
  const { patch } = training;
  if (preprocessing.size === undefined && patch === undefined)
    return [
      {
        path: ['preprocessing', 'size'],
        message: 'missing, expected voxels along x, y, z (or training.patch, for volumes of any size)',
        at: 'parent',
      },
    ];
  const problems: Problem[] = [];
  if (preprocessing.size !== undefined && patch !== undefined)
    problems.push({
      path: ['preprocessing', 'size'],
      message: `found ${describe(preprocessing.size)} beside training.patch, with which volumes keep their size: remove one`,
    });
  if (patch?.perCase !== undefined && patch.perEpoch !== undefined)
    problems.push({
      path: ['training', 'patch'],
      message: 'found both of perCase and perEpoch, expected one',
    });
  const path = patch ? ['training', 'patch', 'size'] : ['preprocessing', 'size'];
  return models
    ? [...problems, ...sizeProblems(models, path, windowSize({ preprocessing, training }))]
    : problems;
}

function sizeProblems(models: readonly ModelConfig[], path: string[], sizes: readonly number[]): Problem[] {
  const { multiple, levels, name } = sizeMultiple(models);
  return sizes.flatMap((size, axis) => {
    const above = Math.ceil(size / multiple) * multiple;
    const choice = size > multiple ? `${above - multiple} or ${above}` : above;
    return size % multiple === 0
      ? []
      : {
          path: [...path, axis],
          message: `found ${size}, expected a multiple of ${multiple} for the ${levels} levels of ${name}, such as ${choice}`,
        };
  });
}

/** A network that never saw a mirrored case is worse on one. */
function inferenceProblems({ training, inference }: Sections): Problem[] {
  if (!training || !inference) return [];
  const trained = augmentationSettings(training)?.mirror ?? [];
  return inference.mirror.flatMap((axis, index) =>
    trained.includes(axis)
      ? []
      : {
          path: ['inference', 'mirror', index],
          message:
            `found ${axis}, expected axes along which training mirrors (training.augmentation.mirror): ` +
            (trained.length > 0 ? trained.join(', ') : 'none, so leave inference.mirror empty'),
        },
  );
}

function pruningProblems({ models, training, pruning, retraining }: Sections): Problem[] {
  if (!pruning) return [];
  const problems: Problem[] = [];
  // l1-std is the standard deviation over the cases of a batch.
  const scored = pruning.strategies.some(
    (strategy) => strategy === 'stamp' || strategy === 'random-in-block',
  );
  if (training && pruning.criterion === 'l1-std' && scored && training.batch < 2)
    problems.push({
      path: ['training', 'batch'],
      message: `found ${training.batch}, expected at least 2 for pruning.criterion l1-std`,
    });
  const names = models?.map(modelName);
  if (names && pruning.model !== undefined && !names.includes(pruning.model))
    problems.push({
      path: ['pruning', 'model'],
      message: `found ${pruning.model}, expected one of the models: ${names.join(', ')}${suggestion(pruning.model, names)}`,
    });
  for (const [index, percent] of retraining?.snapshots?.entries() ?? [])
    if (!pruning.snapshots.includes(percent))
      problems.push({
        path: ['retraining', 'snapshots', index],
        message: `found ${percent}, expected one of pruning.snapshots: ${pruning.snapshots.join(', ')}`,
      });
  for (const [index, strategy] of retraining?.strategies?.entries() ?? [])
    if (!pruning.strategies.includes(strategy))
      problems.push({
        path: ['retraining', 'strategies', index],
        message: `found ${strategy}, expected one of pruning.strategies: ${pruning.strategies.join(', ')}`,
      });
  return problems;
}

/** Finds duplicates in lists of things to do: naming one twice is a mistake. */
function listProblems({ dataset, training, inference, metrics, pruning, retraining }: Sections): Problem[] {
  const lists: [string[], readonly (string | number)[] | undefined][] = [
    [['metrics'], metrics],
    [['dataset', 'channels'], dataset?.channels],
    [['training', 'seeds'], training?.seeds],
    [['inference', 'mirror'], inference?.mirror],
    [['pruning', 'strategies'], pruning?.strategies],
    [['pruning', 'snapshots'], pruning?.snapshots],
    [['retraining', 'strategies'], retraining?.strategies],
    [['retraining', 'snapshots'], retraining?.snapshots],
    [['retraining', 'init'], retraining?.init],
  ];
  return lists.flatMap(([path, list]) =>
    duplicates(list ?? []).map((item) => ({ path, message: `found ${item} twice` })),
  );
}

function duplicates<T>(items: readonly T[]): T[] {
  return [...new Set(items.filter((item, i) => items.indexOf(item) !== i))];
}

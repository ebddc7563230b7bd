// Checks that involve more than one key of an experiment, or a key and the network it leads to.

import { modelName } from './models.js';
import { type Experiment, type SplitConfig } from './schema.js';
import { suggestion } from './suggest.js';

/** A problem and the key it is about. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Everything that is impossible about an experiment although each key by itself is right. */
export function crossFieldProblems(config: Experiment): Problem[] {
  return [
    ...datasetProblems(config),
    ...modelProblems(config),
    ...pruningProblems(config),
    ...duplicates(config.training.seeds).map((seed) => ({
      path: ['training', 'seeds'],
      message: `found ${seed} twice, expected different seeds`,
    })),
  ];
}

function datasetProblems({ dataset, preprocessing }: Experiment): Problem[] {
  const problems: Problem[] = [];
  if (dataset.layout !== 'phantom' && dataset.root === undefined)
    problems.push({
      path: ['dataset', 'root'],
      message: `missing, expected the dataset's folder (or: --set dataset.root=DIR)`,
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
  if (dataset.split) splits.push({ path: ['dataset', 'split'], split: dataset.split });
  for (const { path, split } of splits) problems.push(...splitProblems(path, split));
  for (const [label, values] of Object.entries(dataset.labels))
    for (const value of duplicates([values].flat()))
      problems.push({ path: ['dataset', 'labels', label], message: `found the value ${value} twice` });
  const { normalisation } = preprocessing;
  if (typeof normalisation === 'object') {
    const [key, [low, high]] = Object.entries(normalisation)[0] as [string, [number, number]];
    if (low >= high)
      problems.push({
        path: ['preprocessing', 'normalisation', key],
        message: `found [${low}, ${high}], expected the lower value first`,
      });
  }
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
  const owner = new Map<string, string>();
  for (const part of listed)
    for (const id of split[part] as string[]) {
      const other = owner.get(id);
      if (other !== undefined)
        problems.push({ path: [...path, part], message: `found ${id}, which is in ${other} already` });
      owner.set(id, part);
    }
  return problems;
}

function modelProblems({ models, preprocessing }: Experiment): Problem[] {
  const problems: Problem[] = [];
  const names = models.map((model) => modelName(model).toLowerCase());
  for (const name of duplicates(names))
    problems.push({
      path: ['models', names.lastIndexOf(name), 'name'],
      message: `found two models named ${name}; give one a name of its own`,
    });
  for (const [index, model] of models.entries()) {
    const levels = model.family === 'explicit' ? model.encoder.length : model.levels;
    if (model.family === 'explicit')
      for (const side of ['decoder', 'up'] as const)
        if (model[side].length !== levels - 1)
          problems.push({
            path: ['models', index, side],
            message: `found ${model[side].length} levels, expected ${levels - 1}: one fewer than the encoder`,
          });
    const multiple = 2 ** (levels - 1);
    for (const [axis, size] of preprocessing.size.entries())
      if (size % multiple !== 0)
        problems.push({
          path: ['preprocessing', 'size', axis],
          message:
            `found ${size}, expected a multiple of ${multiple} for the ${levels} levels of ${modelName(model)}: ` +
            `${Math.max(1, Math.floor(size / multiple)) * multiple} or ${Math.ceil(size / multiple) * multiple}`,
        });
  }
  return problems.filter(
    (problem, i) =>
      problems.findIndex(
        (other) => other.message === problem.message && other.path.join() === problem.path.join(),
      ) === i,
  );
}

function pruningProblems({ models, pruning }: Experiment): Problem[] {
  const problems: Problem[] = [];
  const names = models.map(modelName);
  if (pruning.model !== undefined && !names.includes(pruning.model))
    problems.push({
      path: ['pruning', 'model'],
      message: `found ${pruning.model}, expected one of the models: ${names.join(', ')}${suggestion(pruning.model, names)}`,
    });
  for (const percent of duplicates(pruning.snapshots))
    problems.push({ path: ['pruning', 'snapshots'], message: `found ${percent} twice` });
  return problems;
}

function duplicates<T>(items: readonly T[]): T[] {
  return [...new Set(items.filter((item, i) => items.indexOf(item) !== i))];
}

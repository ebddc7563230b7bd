// Checks of the keys of `training` that involve each other or other sections.

import { type Problem } from './problems.js';
import { type DeclaredExperiment } from './schema.js';

/** Finds settings of training that contradict each other. */
export function trainingProblems({
  dataset,
  training,
  retraining,
}: Partial<Pick<DeclaredExperiment, 'dataset' | 'training' | 'retraining'>>): Problem[] {
  if (!training) return [];
  const { epochs, schedule, cooldown, warmup, patience } = training;
  const problems: Problem[] = [];
  if (patience > 0 && dataset && !everySplitValidates(dataset))
    problems.push({
      path: ['training', 'patience'],
      message: `found ${patience}, but a split has no validation cases, on which it depends: set validation in the split, or patience: 0`,
    });
  if (cooldown > 0 && schedule !== 'cooldown')
    problems.push({
      path: ['training', 'cooldown'],
      message: `found ${cooldown} beside schedule: ${schedule}, expected one of both`,
    });
  const fewest = Math.min(epochs, retraining?.epochs ?? epochs);
  if (warmup >= fewest)
    problems.push({
      path: ['training', 'warmup'],
      message: `found ${warmup}, expected fewer than the ${fewest} epochs${fewest < epochs ? ' of retraining' : ''}`,
    });
  return problems;
}

/** Whether all splits have validation cases; those in a file have none. */
function everySplitValidates({ split, splits }: DeclaredExperiment['dataset']): boolean {
  const all = [...(split ? [split] : []), ...Object.values(splits ?? {})];
  return all.every((each) => {
    const validation = 'validation' in each ? each.validation : 0;
    return Array.isArray(validation) ? validation.length > 0 : validation > 0;
  });
}

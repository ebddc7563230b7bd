// Checks of the keys of `training` that involve each other or other sections.

import { type Problem } from './problems.js';
import { type DeclaredExperiment } from './schema.js';

/** Finds settings of training that contradict each other. */
export function trainingProblems({
  training,
  retraining,
}: Partial<Pick<DeclaredExperiment, 'training' | 'retraining'>>): Problem[] {
  if (!training) return [];
  const { epochs, schedule, cooldown, warmup } = training;
  const problems: Problem[] = [];
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

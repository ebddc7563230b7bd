// Evaluates a network on whole cases: at once where it sees them whole, else by windows.

import { type Experiment } from '../config/schema.js';
import { type Dataset } from '../data/dataset.js';
import { InterruptedError, type Network, type Sample } from '../engine/engine.js';
import { UserError } from '../errors.js';
import { overlapCounter } from '../inference/overlap.js';
import { OverflowError } from '../inference/slab.js';
import { type Backlog, meanwhile } from './backlog.js';
import { DivergedError } from './epoch.js';
import { caseDice } from './metrics.js';
import { byWindows, sweepCase } from './windows.js';

/** The part of the context of a run that evaluation needs. */
interface EvaluationContext {
  readonly config: Pick<Experiment, 'inference' | 'training'>;
  readonly dataset: Pick<Dataset, 'caseAt' | 'outputs' | 'sample' | 'size' | 'targets'> &
    Partial<Pick<Dataset, 'ignored'>>;
  readonly signal?: AbortSignal;
}

/**
 * Dice per label of each case, in the order of the ids; the backlog is done during the first computation. Throws an
 * InterruptedError as `trainEpoch` does. If numbers in the network overflow, throws a UserError of kind `data` if the voxels
 * are the cause, else a DivergedError.
 */
export function evaluateCases(
  network: Network,
  cases: readonly string[],
  context: EvaluationContext,
  backlog: Backlog = [],
): Promise<number[][]> {
  return byWindows(context)
    ? evaluateByWindows(network, cases, context, backlog)
    : evaluateAtOnce(network, cases, context, backlog);
}

async function evaluateAtOnce(
  network: Network,
  cases: readonly string[],
  { config, dataset, signal }: EvaluationContext,
  backlog: Backlog,
): Promise<number[][]> {
  const { batch } = config.training;
  const dice: number[][] = [];
  for (let at = 0; at < cases.length; at += batch) {
    if (signal?.aborted) throw new InterruptedError();
    const ids = cases.slice(at, at + batch);
    const overlaps = await meanwhile(backlog, network.evaluate(ids.map(dataset.sample)));
    for (const [i, { target }] of overlaps.entries())
      if (target.some(Number.isNaN)) throw overflowError(ids[i] as string, dataset.sample(ids[i] as string));
    dice.push(...overlaps.map(caseDice));
  }
  return dice;
}

/** One case is in memory at a time. */
async function evaluateByWindows(
  network: Network,
  cases: readonly string[],
  context: EvaluationContext,
  backlog: Backlog,
): Promise<number[][]> {
  const { dataset, signal } = context;
  const dice: number[][] = [];
  for (const id of cases) {
    if (signal?.aborted) throw new InterruptedError();
    const sized = await dataset.caseAt(id);
    const { overlap, take } = overlapCounter(
      dataset.outputs.length,
      sized.label,
      dataset.targets,
      dataset.ignored,
    );
    try {
      await meanwhile(backlog, sweepCase(network, sized, context, take));
    } catch (error) {
      throw error instanceof OverflowError ? overflowError(id, sized) : error;
    }
    dice.push(caseDice(overlap));
  }
  return dice;
}

/** Neither normalised nor usual images have larger voxels, so beyond this limit the data is the cause, not the weights. */
const LARGEST_VOXEL = 1e6;

function overflowError(id: string, { image }: Pick<Sample, 'image'>): Error {
  const largest = image.reduce((most, voxel) => Math.max(most, Math.abs(voxel)), 0);
  if (largest <= LARGEST_VOXEL)
    return new DivergedError('the network overflows when it is evaluated', undefined, [id]);
  return new UserError(
    'data',
    `case ${id}: found voxels of up to ${largest.toPrecision(2)}, which overflow the network, expected moderate numbers; ` +
      'have them normalised (preprocessing.normalisation: z-score, percentile or window), or leave the case out of the split',
  );
}

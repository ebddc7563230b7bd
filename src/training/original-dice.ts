// Dice of the test cases on the grids on which they are stored: what `lunet predict` finds in their files, against the labels there.

import { type Experiment } from '../config/schema.js';
import { type Dataset } from '../data/dataset.js';
import { orient, orientingOf } from '../data/orientation.js';
import { InterruptedError, type Network } from '../engine/engine.js';
import { overlapCounter } from '../inference/overlap.js';
import { probabilityPlanes } from '../inference/segment.js';
import { OverflowError } from '../inference/slab.js';
import { preprocessingOf } from '../runs/describe-model.js';
import { type RunRecord } from '../runs/run.js';
import { DivergedError } from './epoch.js';
import { caseDice } from './metrics.js';
import { windowingOf } from './windows.js';

/** The part of the context of a run that this needs. */
interface OriginalContext {
  readonly config: Pick<Experiment, 'training' | 'inference'>;
  readonly dataset: Pick<Dataset, 'keepsGrid' | 'original' | 'outputs' | 'targets' | 'ignored'>;
  readonly signal?: AbortSignal;
}

/**
 * Dice at p > 0.5 of each case and label on the stored grids; undefined if preprocessing leaves all cases theirs, so that the usual
 * Dice is this one. Throws an InterruptedError when the signal aborts, a DivergedError if numbers overflow, and like
 * `Dataset.original`.
 */
export async function originalDice(
  network: Network,
  record: Pick<RunRecord, 'config' | 'normalisation'>,
  ids: readonly string[],
  { config, dataset, signal }: OriginalContext,
): Promise<number[][] | undefined> {
  if (ids.every(dataset.keepsGrid)) return undefined;
  const preprocessing = preprocessingOf(record);
  const { size, orientation } = preprocessing;
  const windowing = windowingOf(config, size, ids.length);
  const dice: number[][] = [];
  for (const id of ids) {
    if (signal?.aborted) throw new InterruptedError();
    const scan = await dataset.original(id);
    const label = orient(scan.label, scan.size, orientingOf(scan.orientation, orientation));
    const { overlap, take } = overlapCounter(dataset.outputs.length, label, dataset.targets, dataset.ignored);
    try {
      await probabilityPlanes([network], windowing, scan, preprocessing, dataset.outputs.length, take, {
        signal,
      });
    } catch (error) {
      if (signal?.aborted) throw new InterruptedError();
      if (!(error instanceof OverflowError)) throw error;
      throw new DivergedError('the network overflows when it is evaluated on stored grids', undefined, [id]);
    }
    dice.push(caseDice(overlap));
  }
  return dice;
}

// The training step, from top to bottom: order of cases, batches, dropout masks, steps; and evaluation. Everything
// random comes from streams keyed by seed, epoch and batch, so an epoch can be left and entered at any batch.

import { type Network, type Sample } from '../engine/engine.js';
import { shuffled, stream } from '../random.js';
import { caseDice } from './metrics.js';

/** How far an epoch has come: what a checkpoint in its middle needs. */
export interface EpochProgress {
  batches: number;
  lossSum: number;
}

export interface EpochSettings {
  readonly network: Network;
  readonly sample: (id: string) => Sample;
  /** Training cases. */
  readonly cases: readonly string[];
  readonly batch: number;
  readonly learningRate: number;
  /** Dropout rate of each channel of all layers. */
  readonly dropout: Float64Array;
  /** The run's seed and what tells this epoch's random numbers from all others of the run. */
  readonly seed: number;
  readonly key: readonly (string | number)[];
}

/** A step's loss was not finite. */
export class DivergedError extends Error {
  constructor(
    readonly step: number,
    readonly cases: readonly string[],
  ) {
    super(`the loss is not finite at step ${step} (cases ${cases.join(', ')})`);
    this.name = 'DivergedError';
  }
}

/**
 * One epoch: all cases once in a random order, the last incomplete batch dropped when there is more than one.
 * `progress` is kept up to date; a call that is interrupted can be repeated with it. Returns the mean loss.
 * Throws a DivergedError if a loss is not finite; then the step has changed nothing.
 */
export async function trainEpoch(settings: EpochSettings, progress: EpochProgress): Promise<number> {
  const { network, sample, cases, batch, learningRate, dropout, seed, key } = settings;
  const order = shuffled(cases, stream(seed, 'order', ...key));
  const batches = batchCount(cases.length, batch);
  while (progress.batches < batches) {
    const ids = order.slice(progress.batches * batch, (progress.batches + 1) * batch);
    const masks = dropoutMasks(ids.length, dropout, seed, [...key, progress.batches]);
    const loss = await network.trainStep(ids.map(sample), masks, learningRate);
    if (!Number.isFinite(loss)) throw new DivergedError(progress.batches + 1, ids);
    progress.batches++;
    progress.lossSum += loss;
  }
  return progress.lossSum / batches;
}

/** Batches in an epoch. */
export function batchCount(cases: number, batch: number): number {
  return Math.max(1, Math.floor(cases / batch));
}

/** Multipliers of channel dropout, (N, channels): 0 with the channel's rate, else 1 / (1 - rate). */
export function dropoutMasks(
  count: number,
  rates: Float64Array,
  seed: number,
  key: readonly (string | number)[],
): Float32Array {
  const random = stream(seed, 'dropout', ...key);
  const masks = new Float32Array(count * rates.length);
  for (let i = 0; i < masks.length; i++) {
    const rate = rates[i % rates.length] as number;
    masks[i] = rate === 0 ? 1 : random.uniform() < rate ? 0 : 1 / (1 - rate);
  }
  return masks;
}

/** Dice per label of each case, in the order of the ids. */
export async function evaluateCases(
  network: Network,
  sample: (id: string) => Sample,
  cases: readonly string[],
  batch: number,
): Promise<number[][]> {
  const dice: number[][] = [];
  for (let at = 0; at < cases.length; at += batch)
    dice.push(...(await network.evaluate(cases.slice(at, at + batch).map(sample))).map(caseDice));
  return dice;
}

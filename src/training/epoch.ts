// One epoch, from top to bottom: order of cases, batches, dropout masks, training steps. All random numbers come from streams
// keyed by seed, epoch and batch, so an epoch can stop and resume at any batch.

import { InterruptedError, type Network, type Sample } from '../engine/engine.js';
import { type Weights } from '../network/weights.js';
import { shuffled, stream } from '../random.js';
import { type Backlog, meanwhile } from './backlog.js';

/** The progress of an epoch, which a checkpoint in its middle needs. */
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
  /** The seed of the run; `key` distinguishes the random numbers of this epoch from all others of the run. */
  readonly seed: number;
  readonly key: readonly (string | number)[];
  /**
   * Ends the epoch before its next step. `Network.interrupt` ends a running step but does nothing between two steps, so both
   * are needed.
   */
  readonly signal?: AbortSignal | undefined;
  /** Done during the first step. */
  readonly backlog?: Backlog;
}

/** A loss or weight became NaN or infinite; nothing after the last checkpoint is worth keeping. */
export class DivergedError extends Error {
  constructor(what: string, step: number | undefined, cases: readonly string[]) {
    super(`${what}${step === undefined ? '' : ` at step ${step}`} (cases ${cases.join(', ')})`);
    this.name = 'DivergedError';
  }
}

/**
 * One epoch: all cases once in a random order; an incomplete last batch is left out unless it is the only one. Updates
 * `progress`; after an interruption (InterruptedError) the call can be repeated with it. Returns the mean loss. Throws a
 * DivergedError if a loss, or at the end of the epoch a weight or statistic, is not finite.
 */
export async function trainEpoch(settings: EpochSettings, progress: EpochProgress): Promise<number> {
  const { network, sample, cases, batch, learningRate, dropout, seed, key, signal, backlog } = settings;
  const order = shuffled(cases, stream(seed, 'order', ...key));
  const batches = batchCount(cases.length, batch);
  const idsOf = (index: number): string[] => order.slice(index * batch, (index + 1) * batch);
  while (progress.batches < batches) {
    if (signal?.aborted) throw new InterruptedError();
    const ids = idsOf(progress.batches);
    const masks = dropoutMasks(ids.length, dropout, seed, [...key, progress.batches]);
    const loss = await meanwhile(backlog, network.trainStep(ids.map(sample), masks, learningRate));
    if (!Number.isFinite(loss)) throw new DivergedError('the loss is not finite', progress.batches + 1, ids);
    progress.batches++;
    progress.lossSum += loss;
  }
  const broken = firstNotFinite(await network.readWeights());
  if (broken !== undefined) throw new DivergedError(`${broken} is not finite`, batches, idsOf(batches - 1));
  return progress.lossSum / batches;
}

/** The name of a tensor that contains NaN or an infinity; undefined if there is none. */
function firstNotFinite(weights: Weights): string | undefined {
  for (const [name, { data }] of weights) if (!data.every(Number.isFinite)) return name;
  return undefined;
}

/** Batches in an epoch. */
export function batchCount(cases: number, batch: number): number {
  return Math.max(1, Math.floor(cases / batch));
}

/** Multipliers of channel dropout, (N, channels): 0 with the probability of the channel, else 1 / (1 - rate). */
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

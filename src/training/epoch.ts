// One epoch, from top to bottom: order of cases, batches, dropout masks, training steps. All random numbers come from streams
// keyed by seed, epoch and batch, so an epoch can stop and resume at any batch.

import { InterruptedError, type Network } from '../engine/engine.js';
import { type Weights } from '../network/weights.js';
import { stream } from '../random.js';
import { type Backlog, meanwhile } from './backlog.js';
import { type Feed, type PlannedSample, feedEpoch } from './feed.js';

/** The progress of an epoch, which a checkpoint in its middle needs. */
export interface EpochProgress {
  batches: number;
  lossSum: number;
}

export interface EpochSettings extends Feed {
  readonly network: Network;
  readonly learningRate: number;
  /** Dropout rate of each channel of all layers. */
  readonly dropout: Float64Array;
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
 * One epoch: the batches of `planEpoch`. Updates `progress`; after an interruption (InterruptedError) the call can be repeated with
 * it. Returns the mean loss. Throws a DivergedError if a loss, or at the end of the epoch a weight or statistic, is not finite.
 */
export async function trainEpoch(settings: EpochSettings, progress: EpochProgress): Promise<number> {
  const { network, learningRate, dropout, seed, key, signal, backlog } = settings;
  let last: readonly PlannedSample[] = [];
  await feedEpoch(settings, progress.batches, async (samples, planned, index) => {
    if (signal?.aborted) throw new InterruptedError();
    last = planned;
    const masks = dropoutMasks(samples.length, dropout, seed, [...key, index]);
    const loss = await meanwhile(backlog, network.trainStep(samples, masks, learningRate));
    if (!Number.isFinite(loss))
      throw new DivergedError('the loss is not finite', progress.batches + 1, idsOf(planned));
    progress.batches++;
    progress.lossSum += loss;
  });
  const broken = firstNotFinite(await network.readWeights());
  if (broken !== undefined) throw new DivergedError(`${broken} is not finite`, progress.batches, idsOf(last));
  return progress.lossSum / progress.batches;
}

function idsOf(planned: readonly PlannedSample[]): string[] {
  return planned.map(({ id }) => id);
}

/** The name of a tensor that contains NaN or an infinity; undefined if there is none. */
function firstNotFinite(weights: Weights): string | undefined {
  for (const [name, { data }] of weights) if (!data.every(Number.isFinite)) return name;
  return undefined;
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

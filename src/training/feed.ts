// What the steps of an epoch are fed: which case each sample is of, how it is changed, and the next batch while a step computes.

import { type AugmentationSettings } from '../config/augmentation.js';
import { augment } from '../augmentation/augment.js';
import { type DrawnAugmentation, drawAugmentation } from '../augmentation/draw.js';
import { type Dataset } from '../data/dataset.js';
import { type Extent } from '../data/preprocess.js';
import { type Sample } from '../engine/engine.js';
import { shuffled, stream } from '../random.js';

export interface Feed {
  readonly dataset: Pick<Dataset, 'sample' | 'size' | 'spacing' | 'channels'>;
  /** Training cases. */
  readonly cases: readonly string[];
  readonly batch: number;
  /** Undefined leaves the cases as they are. */
  readonly augmentation: AugmentationSettings | undefined;
  /** The seed of the run; `key` distinguishes the random numbers of this epoch from all others of the run. */
  readonly seed: number;
  readonly key: readonly (string | number)[];
}

/** A sample before it is made; plain JSON. */
export interface PlannedSample {
  readonly id: string;
  readonly drawn?: DrawnAugmentation;
}

/** Batches in an epoch. */
export function batchCount(cases: number, batch: number): number {
  return Math.max(1, Math.floor(cases / batch));
}

/**
 * All cases once in a random order; an incomplete last batch is left out unless it is the only one. Returns the samples of a batch,
 * from 0 to `batchCount` - 1, from numbers that depend on seed, epoch, batch and place in the batch alone.
 */
export function planEpoch(feed: Feed): (batch: number) => PlannedSample[] {
  const { dataset, cases, batch, augmentation, seed, key } = feed;
  const order = shuffled(cases, stream(seed, 'order', ...key));
  return (index) =>
    order.slice(index * batch, (index + 1) * batch).map((id, place) => {
      if (augmentation === undefined) return { id };
      const drawing = { spacing: dataset.spacing(id), channels: dataset.channels.length };
      return {
        id,
        drawn: drawAugmentation(augmentation, drawing, stream(seed, 'augmentation', ...key, index, place)),
      };
    });
}

/** Makes a sample; without augmentation it is the case itself, uncopied. */
export async function makeSample(
  { sample, size, channels }: Feed['dataset'],
  { id, drawn }: PlannedSample,
): Promise<Sample> {
  const whole = sample(id);
  if (drawn === undefined) return whole;
  const extent: Extent = [size[2], size[1], size[0]];
  const region = { start: [0, 0, 0], size: extent, channels: channels.length, ...whole } as const;
  return augment(region, extent, drawn);
}

/**
 * Calls `step` with each batch of an epoch in turn, from the batch `first`. The next batch is made meanwhile, on threads of its own,
 * so a step waits only if making a batch takes longer than a step.
 */
export async function feedEpoch(
  feed: Feed,
  first: number,
  step: (samples: readonly Sample[], planned: readonly PlannedSample[], index: number) => Promise<void>,
): Promise<void> {
  const count = batchCount(feed.cases.length, feed.batch);
  const plan = planEpoch(feed);
  const make = (index: number): Made => {
    const planned = plan(index);
    const samples = Promise.all(planned.map((sample) => makeSample(feed.dataset, sample)));
    // If the step before fails, nobody awaits these.
    samples.catch(() => undefined);
    return { planned, samples };
  };
  let next = first < count ? make(first) : undefined;
  for (let index = first; next !== undefined; index++) {
    const { planned, samples }: Made = next;
    const ready = await samples;
    next = index + 1 < count ? make(index + 1) : undefined;
    await step(ready, planned, index);
  }
}

interface Made {
  readonly planned: readonly PlannedSample[];
  readonly samples: Promise<readonly Sample[]>;
}

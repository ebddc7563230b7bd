// What the steps of an epoch are fed: which case or patch each sample is, how it is changed, and the next batch while a step computes.

import { type AugmentationSettings } from '../config/augmentation.js';
import { augment } from '../augmentation/augment.js';
import { type DrawnAugmentation, drawAugmentation } from '../augmentation/draw.js';
import { sourceRegion } from '../augmentation/region.js';
import { samplesPerEpoch } from '../config/window.js';
import { type Dataset } from '../data/dataset.js';
import { type Extent } from '../data/preprocess.js';
import { type Sample } from '../engine/engine.js';
import { shuffled, stream } from '../random.js';
import { type PatchSettings, centredOnes, patchOrder, patchStart } from './patches.js';

export interface Feed {
  readonly dataset: Pick<Dataset, 'sample' | 'region' | 'positions' | 'grid' | 'spacing' | 'channels'>;
  /** Training cases. */
  readonly cases: readonly string[];
  readonly batch: number;
  /** Undefined where samples are whole cases. */
  readonly patch: PatchSettings | undefined;
  /** Undefined leaves the samples as they are. */
  readonly augmentation: AugmentationSettings | undefined;
  /** The seed of the run; `key` distinguishes the random numbers of this epoch from all others of the run. */
  readonly seed: number;
  readonly key: readonly (string | number)[];
}

/** A sample before it is made; plain JSON. */
export interface PlannedSample {
  readonly id: string;
  /** The first voxel (x, y, z) of a patch; may lie outside of the volume. */
  readonly start?: Extent;
  readonly drawn?: DrawnAugmentation;
}

/** Batches in an epoch. */
export function batchCount({ cases, patch, batch }: Pick<Feed, 'cases' | 'patch' | 'batch'>): number {
  return Math.max(1, Math.floor(samplesPerEpoch({ patch }, cases.length) / batch));
}

/**
 * All cases once in a random order, or patches of them; an incomplete last batch is left out unless it is the only one. Returns the
 * samples of a batch, from 0 to `batchCount` - 1, from numbers that depend on seed, epoch, batch and place in the batch alone.
 */
export function planEpoch(feed: Feed): (batch: number) => PlannedSample[] {
  const { dataset, cases, batch, patch, augmentation, seed, key } = feed;
  const order = patch
    ? patchOrder(cases, patch, (round) => stream(seed, 'order', ...key, round))
    : shuffled(cases, stream(seed, 'order', ...key));
  const starts = startsOf(feed, stream(seed, 'share', ...key).uniform());
  return (index) =>
    order.slice(index * batch, (index + 1) * batch).map((id, place) => {
      const start = starts(id, index, place);
      if (augmentation === undefined) return { id, ...start };
      const drawing = { spacing: dataset.spacing(id), channels: dataset.channels.length };
      return {
        id,
        ...start,
        drawn: drawAugmentation(augmentation, drawing, stream(seed, 'augmentation', ...key, index, place)),
      };
    });
}

/**
 * A pass over all training cases in their order, one patch of each where networks see patches: the samples of each batch, the last
 * of which may be smaller. Nothing is augmented, and the same key gives the same patches. Channels are scored on it.
 */
export function planPass(feed: Omit<Feed, 'augmentation'>): PlannedSample[][] {
  const { cases, batch } = feed;
  const starts = startsOf(feed, 0.5);
  return Array.from({ length: Math.ceil(cases.length / batch) }, (_, index) =>
    cases.slice(index * batch, (index + 1) * batch).map((id, place) => ({ id, ...starts(id, index, place) })),
  );
}

/** Where the patches of a case begin, by batch and place in it; nothing for whole cases. */
function startsOf(
  { dataset, batch, patch, seed, key }: Omit<Feed, 'augmentation'>,
  phase: number,
): (id: string, index: number, place: number) => Pick<PlannedSample, 'start'> {
  if (patch === undefined) return () => ({});
  const centred = centredOnes(patch, phase);
  return (id, index, place) => {
    const positions = centred(index * batch + place) ? dataset.positions(id) : [];
    const random = stream(seed, 'patch', ...key, index, place);
    return { start: patchStart(dataset.grid(id), patch.size, positions, random) };
  };
}

/** Makes a sample; a whole case without augmentation is the case itself, uncopied. */
export async function makeSample(
  { dataset, patch }: Pick<Feed, 'dataset' | 'patch'>,
  { id, start = [0, 0, 0], drawn }: PlannedSample,
): Promise<Sample> {
  const { length: channels } = dataset.channels;
  if (patch === undefined) {
    const whole = dataset.sample(id);
    if (drawn === undefined) return whole;
    const size = dataset.grid(id);
    return augment({ start, size, channels, ...whole }, size, drawn);
  }
  if (drawn === undefined) return dataset.region(id, start, patch.size);
  const box = sourceRegion(patch.size, drawn);
  const from = start.map((value, axis) => value + (box.start[axis] as number)) as unknown as Extent;
  const source = await dataset.region(id, from, box.size);
  return augment({ ...box, channels, ...source }, patch.size, drawn);
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
  const count = batchCount(feed);
  const plan = planEpoch(feed);
  const make = (index: number): Made => {
    const planned = plan(index);
    const samples = Promise.all(planned.map((sample) => makeSample(feed, sample)));
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

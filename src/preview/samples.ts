// The samples that training feeds to a network from an epoch on.

import { augmentationSettings } from '../config/augmentation.js';
import { type Experiment } from '../config/schema.js';
import { type DrawnAugmentation, type IntensityStep } from '../augmentation/draw.js';
import { isIdentity } from '../augmentation/region.js';
import { type Dataset } from '../data/dataset.js';
import { batchCount, makeSample, planEpoch } from '../training/feed.js';
import { type ShownSample } from './sheet.js';

export interface Wanted {
  readonly seed: number;
  /** Training cases, of which all samples are. */
  readonly cases: readonly string[];
  /** Counted from 1. */
  readonly epoch: number;
  /** Only samples of this case. */
  readonly case?: string | undefined;
  readonly count: number;
}

/**
 * As many samples as wanted, in the order in which a training run with this seed sees them, from the first step of `epoch` to the
 * end of the last epoch at most.
 */
export async function collectSamples(
  { training }: Experiment,
  dataset: Dataset,
  { seed, cases, epoch: first, case: only, count }: Wanted,
): Promise<ShownSample[]> {
  const shown: ShownSample[] = [];
  const augmentation = augmentationSettings(training);
  for (let epoch = first; epoch <= training.epochs; epoch++) {
    const key = ['train', epoch];
    const { batch: size, patch } = training;
    const feed = { dataset, cases, batch: size, patch, augmentation, seed, key };
    const plan = planEpoch(feed);
    for (let batch = 0; batch < batchCount(feed); batch++)
      for (const planned of plan(batch)) {
        if (only !== undefined && planned.id !== only) continue;
        if (shown.length === count) return shown;
        shown.push({
          title: `${planned.id}, epoch ${epoch}, step ${batch + 1}`,
          detail: planned.drawn ? describeDrawn(planned.drawn) : '',
          sample: await makeSample(feed, planned),
        });
      }
  }
  return shown;
}

/** In a few words, such as `turned, size 1.21, noise 0.04`; channels are separated by semicolons. */
export function describeDrawn({ matrix, channels }: DrawnAugmentation): string {
  const [a, b, c, d, e, f, g, h, i] = matrix as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const size = 1 / Math.cbrt(Math.abs(determinant));
  const turned = [b, c, d, f, g, h].some((value) => value !== 0);
  const mirrored = turned
    ? determinant < 0
      ? ['mirrored']
      : []
    : ['x', 'y', 'z'].filter((_, axis) => (matrix[axis * 4] as number) < 0).map((axis) => `mirrored ${axis}`);
  const words = [
    ...(turned ? ['turned'] : []),
    ...(Math.abs(size - 1) > 1e-6 ? [`size ${size.toFixed(2)}`] : []),
    ...mirrored,
  ];
  const steps = channels.map((list) => list.map(describeStep).join(', ')).filter((text) => text !== '');
  const parts = [...words, ...(steps.length > 0 ? [steps.join('; ')] : [])];
  return isIdentity(matrix) && steps.length === 0 ? 'as it is' : parts.join(', ');
}

function describeStep(step: IntensityStep): string {
  switch (step.kind) {
    case 'noise':
      return `noise ${step.deviation.toFixed(2)}`;
    case 'blur':
      return 'blur';
    case 'lowResolution':
      return `resolution ${step.scale.toFixed(2)}`;
    case 'gamma':
      return `${step.inverted ? 'inverted ' : ''}gamma ${step.exponent.toFixed(2)}`;
    default:
      return `${step.kind} ${step.factor.toFixed(2)}`;
  }
}

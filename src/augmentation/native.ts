// What is drawn as the lists of numbers that the native engine reads: node/addon.cpp and augmentation/augment.h there.

import { type Extent } from '../data/preprocess.js';
import { type FlatAugmentation } from '../engine/native/augment.js';
import { type DrawnAugmentation, type IntensityStep } from './draw.js';
import { type Region } from './region.js';

/** In the order of IntensityStep::Kind. */
const KINDS = ['noise', 'blur', 'brightness', 'contrast', 'lowResolution', 'gamma'] as const;

/** The lists for one sample. */
export function flatten(
  region: Region,
  patch: Extent,
  { matrix, channels }: DrawnAugmentation,
): FlatAugmentation {
  const steps = channels.flatMap((list, channel) =>
    list.flatMap((step) => {
      const numbers = numbersOf(step);
      return [KINDS.indexOf(step.kind), channel, numbers.length, ...numbers];
    }),
  );
  return {
    geometry: Float64Array.of(...patch, ...region.start, ...region.size, region.channels, ...matrix),
    steps: Float64Array.from(steps),
  };
}

function numbersOf(step: IntensityStep): readonly number[] {
  switch (step.kind) {
    case 'noise':
      return [step.deviation, ...step.seed];
    case 'blur':
      return step.weights;
    case 'lowResolution':
      return [step.scale];
    case 'gamma':
      return [step.exponent, step.inverted ? 1 : 0];
    default:
      return [step.factor];
  }
}

// The volume that a network sees: a whole prepared case, or a patch of it.

import { modelName } from './models.js';
import { type DeclaredExperiment, type ModelConfig } from './schema.js';

type Size = readonly [x: number, y: number, z: number];
type Keys = Pick<DeclaredExperiment, 'preprocessing' | 'training'>;

/** Voxels along x, y, z of what a network sees: `preprocessing.size`, or the size of patches. */
export function windowSize({ preprocessing, training }: Keys): Size {
  // The config has one of them: see `windowProblems`.
  return (training.patch?.size ?? preprocessing.size) as Size;
}

/** Samples in an epoch of so many training cases: patches, or the cases themselves. */
export function samplesPerEpoch({ patch }: Pick<Keys['training'], 'patch'>, cases: number): number {
  return patch ? (patch.perEpoch ?? (patch.perCase ?? 1) * cases) : cases;
}

/** Every level halves the volume, so the model with the most levels decides: sizes must be multiples of `multiple`. */
export function sizeMultiple(models: readonly ModelConfig[]): {
  readonly multiple: number;
  readonly levels: number;
  readonly name: string;
} {
  const levelsOf = (model: ModelConfig): number =>
    model.family === 'explicit' ? model.encoder.length : model.levels;
  const deepest = models.reduce((a, b) => (levelsOf(b) > levelsOf(a) ? b : a));
  const levels = levelsOf(deepest);
  return { multiple: 2 ** (levels - 1), levels, name: modelName(deepest) };
}

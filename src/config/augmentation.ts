// The steps of augmentation that an experiment asks for: its preset with its own probabilities and ranges.

import { type Problem } from './problems.js';
import { type Experiment } from './schema.js';

type Declared = Experiment['training']['augmentation'];
type Steps = Exclude<Declared, string>;
type Axis = 'x' | 'y' | 'z';

/** A step with a number that is drawn evenly from a range. */
export interface RangedStep {
  readonly probability: number;
  readonly range: readonly [lo: number, hi: number];
}

/** Every step with its probability and range; a probability of 0 leaves it out. docs/augmentation.md has the formulas. */
export interface AugmentationSettings {
  /** Largest degrees about x, y, z. */
  readonly rotation: {
    readonly probability: number;
    readonly degrees: readonly [x: number, y: number, z: number];
  };
  readonly scaling: RangedStep;
  readonly noise: RangedStep;
  readonly blur: RangedStep;
  readonly brightness: RangedStep;
  readonly contrast: RangedStep;
  readonly lowResolution: RangedStep;
  readonly gammaInverted: RangedStep;
  readonly gamma: RangedStep;
  readonly mirror: readonly Axis[];
}

/** The steps of a preset that have a range. */
type Ranged = Exclude<keyof AugmentationSettings, 'rotation' | 'mirror'>;

/** The probabilities and ranges of nnU-Net 2 (batchgeneratorsv2), without its mirroring. */
const standard: AugmentationSettings = {
  rotation: { probability: 0.2, degrees: [30, 30, 30] },
  scaling: { probability: 0.2, range: [0.7, 1.4] },
  noise: { probability: 0.1, range: [0, 0.1] },
  blur: { probability: 0.2, range: [0.5, 1] },
  brightness: { probability: 0.15, range: [0.75, 1.25] },
  contrast: { probability: 0.15, range: [0.75, 1.25] },
  lowResolution: { probability: 0.25, range: [0.5, 1] },
  gammaInverted: { probability: 0.1, range: [0.7, 1.5] },
  gamma: { probability: 0.3, range: [0.7, 1.5] },
  mirror: [],
};

const RANGED = Object.keys(standard).filter(
  (name): name is Ranged => name !== 'rotation' && name !== 'mirror',
);

/** Nothing is done; a step that is switched on has the ranges of `standard`. */
const none: AugmentationSettings = {
  ...standard,
  rotation: { ...standard.rotation, probability: 0 },
  ...mapSteps((name) => ({ ...standard[name], probability: 0 })),
};

/** Small turns and sizes, mild intensities. */
const light: AugmentationSettings = {
  ...none,
  rotation: { probability: 0.2, degrees: [10, 10, 10] },
  scaling: { probability: 0.2, range: [0.9, 1.1] },
  noise: { probability: 0.1, range: [0, 0.05] },
  brightness: { probability: 0.15, range: [0.9, 1.1] },
  contrast: { probability: 0.15, range: [0.9, 1.1] },
  gamma: { probability: 0.15, range: [0.8, 1.25] },
};

/** The steps of each preset. */
export const AUGMENTATION_PRESETS = { none, light, standard };

/** All steps that an experiment asks for; undefined if it changes no sample. */
export function augmentationSettings({
  augmentation,
}: Pick<Experiment['training'], 'augmentation'>): AugmentationSettings | undefined {
  const own: Steps = typeof augmentation === 'string' ? { preset: augmentation } : augmentation;
  const preset = AUGMENTATION_PRESETS[own.preset];
  const { probability, degrees } = { ...preset.rotation, ...defined(own.rotation) };
  const settings: AugmentationSettings = {
    rotation: { probability, degrees: typeof degrees === 'number' ? [degrees, degrees, degrees] : degrees },
    ...mapSteps((name) => ({ ...preset[name], ...defined(own[name]) })),
    mirror: own.mirror ?? preset.mirror,
  };
  const steps = [settings.rotation, ...RANGED.map((name) => settings[name])];
  return settings.mirror.length > 0 || steps.some((step) => step.probability > 0) ? settings : undefined;
}

/** Finds steps without effect, ranges the wrong way round and axes that are named twice. */
export function augmentationProblems(augmentation: Declared): Problem[] {
  if (typeof augmentation === 'string') return [];
  const path = ['training', 'augmentation'];
  const preset = AUGMENTATION_PRESETS[augmentation.preset];
  const problems: Problem[] = [];
  for (const name of ['rotation', ...RANGED] as const) {
    const step = augmentation[name];
    if (step && step.probability === undefined && preset[name].probability === 0)
      problems.push({
        path: [...path, name, 'probability'],
        message: `missing, expected a number from 0 to 1: preset ${augmentation.preset} leaves this step out`,
        at: 'parent',
      });
    if (step && 'range' in step && step.range && step.range[0] > step.range[1])
      problems.push({
        path: [...path, name, 'range'],
        message: `found [${step.range.join(', ')}], expected the lower value first`,
      });
  }
  const axes = augmentation.mirror ?? [];
  for (const axis of new Set(axes.filter((each, i) => axes.indexOf(each) !== i)))
    problems.push({ path: [...path, 'mirror'], message: `found ${axis} twice` });
  return problems;
}

function mapSteps(make: (name: Ranged) => RangedStep): Record<Ranged, RangedStep> {
  return Object.fromEntries(RANGED.map((name) => [name, make(name)])) as Record<Ranged, RangedStep>;
}

/** Without keys that are undefined. */
function defined<T extends object>(values: T | undefined): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values ?? {}).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

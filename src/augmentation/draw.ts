// Draws how one sample is changed: plain numbers, from which `augment` computes the same sample on every machine.

import { type AugmentationSettings, type RangedStep } from '../config/augmentation.js';
import { type Extent } from '../data/preprocess.js';
import { type RandomStream } from '../random.js';
import { gaussianWeights } from './gaussian.js';

/** A step that changes the intensities of one channel. docs/augmentation.md has the formulas. */
export type IntensityStep =
  /** Adds Gaussian noise with this standard deviation; `seed` are two whole numbers below 2^32. */
  | { readonly kind: 'noise'; readonly deviation: number; readonly seed: readonly [number, number] }
  /** Gaussian blur; weights at distances of 0, 1, ... voxels. */
  | { readonly kind: 'blur'; readonly weights: readonly number[] }
  /** Multiplies intensities. */
  | { readonly kind: 'brightness'; readonly factor: number }
  /** Multiplies distances from the mean, within the range of before. */
  | { readonly kind: 'contrast'; readonly factor: number }
  /** Takes a fraction of the voxels along each axis (nearest) and interpolates between them (linear). */
  | { readonly kind: 'lowResolution'; readonly scale: number }
  /** Intensities from 0 to 1 to a power; keeps mean and deviation. */
  | { readonly kind: 'gamma'; readonly exponent: number; readonly inverted: boolean };

/** Nine numbers by rows: what a step of one voxel along x, y, z of a sample is in voxels of its source. */
export type Matrix = readonly number[];

/** How a sample is changed; plain JSON. */
export interface DrawnAugmentation {
  /** The sample's voxel at `offset` from its centre shows the source at `matrix * offset` from the same centre. */
  readonly matrix: Matrix;
  /** By channel, in the order in which they are computed. */
  readonly channels: readonly (readonly IntensityStep[])[];
}

/** The source as it is. */
export const IDENTITY: Matrix = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** What is the same for all samples of a case: mm between voxels along x, y, z, and how many channels there are. */
export interface Drawing {
  readonly spacing: Extent;
  readonly channels: number;
}

/** Draws how one sample is changed. The stream must be the sample's own. */
export function drawAugmentation(
  settings: AugmentationSettings,
  { spacing, channels }: Drawing,
  random: RandomStream,
): DrawnAugmentation {
  const matrix = drawMatrix(settings, spacing, random);
  return { matrix, channels: Array.from({ length: channels }, () => drawSteps(settings, random)) };
}

function happens({ probability }: { readonly probability: number }, random: RandomStream): boolean {
  return probability > 0 && random.uniform() < probability;
}

function from([lo, hi]: readonly [number, number], random: RandomStream): number {
  return lo + (hi - lo) * random.uniform();
}

/** Half of the draws are below 1 and half above where the range has both, as in nnU-Net. */
function factorFrom({ range: [lo, hi] }: RangedStep, random: RandomStream): number {
  if (lo >= 1 || hi <= 1) return from([lo, hi], random);
  return random.uniform() < 0.5 ? from([lo, 1], random) : from([1, hi], random);
}

/**
 * Rotation, scaling and mirroring as one matrix, with mm as the unit in which they are meant: from mm to source voxels, inverse
 * scaling, rotation about z, y and x, mirroring, from sample voxels to mm.
 */
function drawMatrix(
  { rotation, scaling, mirror }: AugmentationSettings,
  spacing: Extent,
  random: RandomStream,
): Matrix {
  const [a, b, c] = happens(rotation, random)
    ? rotation.degrees.map((most) => (from([-most, most], random) * Math.PI) / 180)
    : [0, 0, 0];
  const size = happens(scaling, random) ? factorFrom(scaling, random) : 1;
  const signs = (['x', 'y', 'z'] as const).map((axis) =>
    mirror.includes(axis) && random.uniform() < 0.5 ? -1 : 1,
  );
  const turn = product(
    product(rotationAbout(0, a as number), rotationAbout(1, b as number)),
    rotationAbout(2, c as number),
  );
  return turn.map((value, at) => {
    const [row, column] = [Math.floor(at / 3), at % 3];
    const mm = (spacing[column] as number) / (spacing[row] as number);
    return snap((value * mm * (signs[column] as number)) / size);
  });
}

/** To multiples of 2^-30, so that quarter turns are exact although the cosine of pi / 2 is not 0. Never -0. */
function snap(value: number): number {
  return Math.round(value * 2 ** 30) / 2 ** 30 + 0;
}

function rotationAbout(axis: 0 | 1 | 2, radians: number): Matrix {
  const [p, q] = [(axis + 1) % 3, (axis + 2) % 3];
  const matrix = [...IDENTITY];
  matrix[p * 3 + p] = matrix[q * 3 + q] = Math.cos(radians);
  matrix[p * 3 + q] = -Math.sin(radians);
  matrix[q * 3 + p] = Math.sin(radians);
  return matrix;
}

function product(a: Matrix, b: Matrix): Matrix {
  return a.map((_, at) => {
    const [row, column] = [Math.floor(at / 3), at % 3];
    return [0, 1, 2].reduce((sum, k) => sum + (a[row * 3 + k] as number) * (b[k * 3 + column] as number), 0);
  });
}

/** The steps of one channel, in nnU-Net's order. */
function drawSteps(settings: AugmentationSettings, random: RandomStream): IntensityStep[] {
  const { noise, blur, brightness, contrast, lowResolution, gammaInverted, gamma } = settings;
  const steps: IntensityStep[] = [];
  if (happens(noise, random)) {
    const word = (): number => random.integer(2 ** 32);
    steps.push({ kind: 'noise', deviation: from(noise.range, random), seed: [word(), word()] });
  }
  if (happens(blur, random)) steps.push({ kind: 'blur', weights: gaussianWeights(from(blur.range, random)) });
  if (happens(brightness, random)) steps.push({ kind: 'brightness', factor: factorFrom(brightness, random) });
  if (happens(contrast, random)) steps.push({ kind: 'contrast', factor: factorFrom(contrast, random) });
  if (happens(lowResolution, random))
    steps.push({ kind: 'lowResolution', scale: from(lowResolution.range, random) });
  if (happens(gammaInverted, random))
    steps.push({ kind: 'gamma', exponent: factorFrom(gammaInverted, random), inverted: true });
  if (happens(gamma, random))
    steps.push({ kind: 'gamma', exponent: factorFrom(gamma, random), inverted: false });
  return steps;
}

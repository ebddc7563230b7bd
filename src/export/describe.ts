// Describes a model and its inputs in plain English, for people who use it without lunet.

import { type FittedNormalisation, isFitted } from '../data/normalise.js';
import { type ModelDescription } from '../model/model.js';
import { countParameters } from '../network/parameters.js';

/** Sizes must be multiples of this number, since each level halves them. */
export function sizeMultiple({ architecture }: Pick<ModelDescription, 'architecture'>): number {
  return 2 ** (architecture.encoder.length - 1);
}

/** A model in one or two sentences. */
export function summariseModel(model: ModelDescription): string {
  const { architecture, outputs, run, training, licence } = model;
  const parameters = countParameters(architecture).toLocaleString('en');
  const sentences = [
    `3D U-Net of ${parameters} parameters for the segmentation of ${outputs.map(({ name }) => name).join(', ')}, ` +
      `trained with lunet (experiment ${run.experiment}, method ${run.method}, seed ${run.seed})` +
      `${training ? ` on ${training.cases} cases` : ''}.`,
    ...(licence === undefined ? [] : [`Licence of the data: ${licence}.`]),
  ];
  return sentences.join(' ');
}

/** The steps of the preprocessing of a scan, in order. */
export function preprocessingSteps({ preprocessing, channels }: ModelDescription): string[] {
  const { orientation, spacing, antialias, anisotropic, normalisation, size } = preprocessing;
  const by = (numbers: readonly number[]): string => numbers.join(' x ');
  return [
    orientation === 'RAS'
      ? 'Axes are permuted and flipped to the closest of right, anterior, superior.'
      : 'Axes stay as they are stored.',
    ...(spacing
      ? [
          `Volumes are resampled to ${by(spacing)} mm (x, y, z): linear, both grids covering the same extent, ` +
            'max(1, round(voxels * spacing / wanted)) voxels along each axis.',
        ]
      : []),
    ...(antialias
      ? [
          'Before that they are smoothed along axes whose voxels become more than 1.5 times larger: a Gaussian of ' +
            '(ratio - 1) / 2 voxels.',
        ]
      : []),
    ...(anisotropic
      ? [
          'Where one axis has by far the largest spacing, of the file or else afterwards (more than 3 times the smallest), the ' +
            'nearest voxel is taken along that axis.',
        ]
      : []),
    ...normalisationSteps(normalisation, channels),
    `The network was trained on windows of ${by(size)} voxels (x, y, z); smaller volumes were padded with 0 about their centre ` +
      '(floor of half of what is missing comes first).',
  ];
}

function normalisationSteps(
  normalisation: ModelDescription['preprocessing']['normalisation'],
  channels: readonly string[],
): string[] {
  if (!Array.isArray(normalisation)) return [normalisationStep(normalisation as FittedNormalisation)];
  return (normalisation as readonly FittedNormalisation[]).map(
    (how, i) => `Channel ${channels[i]}: ${normalisationStep(how)}`,
  );
}

function normalisationStep(normalisation: FittedNormalisation): string {
  if (normalisation === 'none') return 'Intensities stay as they are.';
  if (normalisation === 'z-score')
    return 'Intensities of each channel: minus their mean over the volume, divided by their standard deviation.';
  if (normalisation === 'z-score-nonzero')
    return (
      'Intensities of each channel that are not 0: minus their mean over the volume, divided by their standard deviation; ' +
      'zeros stay 0.'
    );
  if (isFitted(normalisation)) {
    const { clip, mean, deviation } = normalisation;
    return (
      `Intensities are clipped to ${clip.join(' and ')}, minus ${mean}, divided by ${deviation}: constants of the foreground of ` +
      'the training cases.'
    );
  }
  return 'window' in normalisation
    ? `Intensities are brought from ${normalisation.window.join(' to ')} to 0 to 1, and cut off there.`
    : `Intensities of each channel are brought from their percentiles ${normalisation.percentile.join(' and ')} over the volume ` +
        'to 0 and 1, and cut off there.';
}

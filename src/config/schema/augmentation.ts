// How training samples are changed at random.

import { z } from 'zod';

const probability = () =>
  z.number().min(0).max(1).optional().describe('Probability, for each sample and channel');

const interval = (least: number, most: number, what: string) =>
  z
    .tuple([z.number().min(least).max(most), z.number().min(least).max(most)], {
      error: `expected [lo, hi] within ${least} to ${most}`,
    })
    .optional()
    .describe(what);

const step = (least: number, most: number, what: string, meaning: string) =>
  z
    .strictObject({ probability: probability(), range: interval(least, most, what) })
    .optional()
    .describe(meaning);

const degrees = z.number().min(0).max(180);

/** Whole sets of steps: see AUGMENTATION_PRESETS. */
const PRESETS = ['none', 'light', 'standard'] as const;

export const augmentation = z
  .union(
    [
      z.enum(PRESETS),
      z.strictObject({
        preset: z.enum(PRESETS).default('none').describe('What the other keys change'),
        rotation: z
          .strictObject({
            probability: z.number().min(0).max(1).optional().describe('Probability, for each sample'),
            degrees: z
              .union([degrees, z.tuple([degrees, degrees, degrees])], {
                error: 'expected degrees from 0 to 180, or three of them: about x, y, z',
              })
              .optional()
              .describe('Largest turn in either direction, about each axis or about x, y, z'),
          })
          .optional()
          .describe('Turns about the centre, in mm'),
        scaling: step(0.2, 5, 'How many times larger things become', 'Scaling about the centre'),
        noise: step(0, 10, 'Standard deviation', 'Gaussian noise'),
        blur: step(0, 5, 'Standard deviation in voxels', 'Gaussian blur'),
        brightness: step(0, 10, 'Factor', 'Multiplies intensities'),
        contrast: step(
          0,
          10,
          'Factor',
          'Multiplies distances from the mean intensity, within the range of before',
        ),
        lowResolution: step(0.1, 1, 'Fraction of the voxels along each axis', 'Fewer voxels and back'),
        gammaInverted: step(
          0.1,
          10,
          'Exponent',
          'Gamma of the inverted intensities, which keeps mean and deviation',
        ),
        gamma: step(0.1, 10, 'Exponent', 'Intensities to a power, which keeps mean and deviation'),
        mirror: z
          .array(z.enum(['x', 'y', 'z']))
          .optional()
          .describe(
            'Axes along which half of the samples are mirrored; prediction may mirror along them too',
          ),
      }),
    ],
    { error: 'expected none, light, standard or a group of steps' },
  )
  .default('none')
  .describe('Random changes of each training sample: a preset, or steps with their probability and range');

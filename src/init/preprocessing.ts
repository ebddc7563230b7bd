// Chooses how volumes are resampled and normalised.

import { type CaseFacts } from '../data/inspect/case-facts.js';
import { type ChannelFacts, type DatasetFacts } from '../data/inspect/dataset-facts.js';
import { inWords } from '../data/nifti/decode.js';
import { type Extent } from '../data/preprocess.js';
import { type Choice } from './choice.js';
import { targetSpacing } from './geometry.js';

const AXES = ['right', 'anterior', 'superior'] as const;
/** Voxels that become more than so many times larger are smoothed first: see docs/preprocessing.md. */
const MUCH_COARSER = 1.5;
/** Slices more than so many times as thick as their pixels are not interpolated across. */
const THICK = 3;

/** The spacing of all volumes, and the settings of resampling with their reasons. */
export function chooseResampling(cases: readonly CaseFacts[]): {
  readonly spacing: Extent;
  readonly choices: readonly Choice[];
} {
  const { spacing, coarse } = targetSpacing(cases);
  const at = (key: string, value: unknown, why: string): Choice => ({
    path: ['preprocessing', key],
    value,
    why,
  });
  const coarser = cases.filter((each) =>
    each.spacing.some((mm, axis) => (spacing[axis] as number) > MUCH_COARSER * mm),
  ).length;
  const thick = cases.filter((each) => isThick(each.spacing) || isThick(spacing)).length;
  return {
    spacing,
    choices: [
      at('spacing', spacing, spacingReason(cases, spacing, coarse)),
      ...(coarser > 0
        ? [
            at(
              'antialias',
              true,
              `voxels of ${coarser} of ${cases.length} cases become more than ${MUCH_COARSER} times larger along an axis`,
            ),
          ]
        : []),
      ...(thick > cases.length / 2
        ? [
            at(
              'anisotropic',
              true,
              `slices are more than ${THICK} times as thick as their pixels in ${thick} of ${cases.length} cases: ` +
                'no interpolation across them',
            ),
          ]
        : []),
    ],
  };
}

function isThick(spacing: Extent): boolean {
  return Math.max(...spacing) > THICK * Math.min(...spacing);
}

function spacingReason(cases: readonly CaseFacts[], spacing: Extent, coarse: number | undefined): string {
  const alike = cases.every((each) =>
    each.spacing.every((mm, axis) => Math.abs(mm / (spacing[axis] as number) - 1) < 1e-3),
  );
  if (alike) return 'mm along right, anterior, superior: that of all cases';
  if (coarse === undefined) return 'mm along right, anterior, superior: the median, as nnU-Net chooses';
  return (
    `mm: the median, and along ${AXES[coarse]}, the axis of thick slices, the 10th percentile, ` +
    'as nnU-Net chooses for such data'
  );
}

/** Chooses the normalisation of each channel. */
export function chooseNormalisation({ channels }: DatasetFacts): Choice[] {
  const chosen = channels.map(normalisationOf);
  const [first] = chosen as [(typeof chosen)[0]];
  const path = ['preprocessing', 'normalisation'];
  if (chosen.every(({ value }) => JSON.stringify(value) === JSON.stringify(first.value)))
    return [{ path, value: first.value, why: first.why }];
  return [
    {
      path,
      value: chosen.map(({ value }) => value),
      why: channels.map(({ name }, i) => `${name}: ${chosen[i]?.why}`).join('; '),
    },
  ];
}

/** Air and bone in Hounsfield units; MR has no values below 0. */
const AIR = -500;
const BONE = 300;
/** Background that was set to 0, as after skull stripping (nnU-Net's rule). */
const MANY_ZEROS = 0.25;

function normalisationOf({ name, all, foreground }: ChannelFacts): { value: unknown; why: string } {
  if (/^nonorm$/i.test(name)) return { value: 'none', why: 'dataset.json says noNorm' };
  if (/^rescale_?to_?0_?1$/i.test(name))
    return { value: { percentile: [0, 100] }, why: 'dataset.json says rescale to 0..1' };
  const named = /^ct$|computed tomography/i.test(name);
  const hounsfield = all !== undefined && all.percentiles['0.5'] <= AIR && all.max >= BONE;
  if (named || (/^channel \d+$/.test(name) && hounsfield)) {
    const clip = foreground && [foreground.percentiles['0.5'], foreground.percentiles['99.5']];
    return {
      value: 'ct',
      why:
        `${named ? 'dataset.json says CT' : `intensities from ${inWords([all?.min ?? 0], 'to')} ${all?.max} are those of CT`}: ` +
        'clipped to the foreground of the training cases' +
        (clip ? ` (here about ${clip.map((value) => Number(value.toPrecision(4))).join(' to ')})` : ''),
    };
  }
  if (all !== undefined && all.zeros >= MANY_ZEROS * all.voxels)
    return {
      value: 'z-score-nonzero',
      why: `no scale of intensities as in CT, and ${Math.round((100 * all.zeros) / all.voxels)} % of the voxels are 0`,
    };
  return {
    value: 'z-score',
    why: 'no scale of intensities as in CT: each volume by its own mean and deviation',
  };
}

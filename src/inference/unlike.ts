// Describes how a scan differs from the training scans of a model. Differences are not errors, but they are the usual cause of
// empty or wrong results.

import { orientExtent, orientingOf } from '../data/orientation.js';
import { type FittedNormalisation, type IntensityRange, isFitted, ofChannel } from '../data/normalise.js';
import { type Extent } from '../data/preprocess.js';
import { type ModelDescription } from '../model/model.js';
import { type Scan } from './segment.js';

/** The factor beyond the range of training from which spacings differ; larger if scans are resampled, which removes most of it. */
const SPACING_RATIO = { asStored: 1.25, resampled: 2 } as const;
/** The same factor for the length of a scan in mm. */
const LENGTH_RATIO = 1.5;
const AXES = ['x', 'y', 'z'] as const;

/** One line each for spacing, size, orientation and intensities that are far from those of training. */
export function unlikeTraining(
  { training, channels, preprocessing }: ModelDescription,
  scan: Pick<Scan, 'size' | 'spacing' | 'orientation'>,
  intensity: readonly IntensityRange[],
): string[] {
  if (training === undefined) return [];
  const { orientation, normalisation } = preprocessing;
  const orienting = orientingOf(scan.orientation, orientation);
  const size = orientExtent(scan.size, orienting);
  const spacing = orientExtent(scan.spacing, orienting);
  const lines: string[] = [];
  const compare = (
    what: string,
    unit: string,
    ratio: number,
    found: Extent,
    least: Extent,
    most: Extent,
  ): void => {
    const far = AXES.flatMap((axis, i) => {
      const [value, low, high] = [found[i], least[i], most[i]] as [number, number, number];
      return value * ratio < low || value > high * ratio
        ? [
            `${axis} ${short(value)} ${unit} (training: ${short(low)}${low === high ? '' : ` to ${short(high)}`})`,
          ]
        : [];
    });
    if (far.length > 0) lines.push(`${what} unlike training's: ${far.join(', ')}`);
  };
  const ratio = SPACING_RATIO[preprocessing.spacing ? 'resampled' : 'asStored'];
  compare('the spacing is', 'mm', ratio, spacing, training.spacing.min, training.spacing.max);
  const times = (a: Extent, b: Extent): Extent => [a[0] * b[0], a[1] * b[1], a[2] * b[2]];
  compare(
    'the size is',
    'mm',
    LENGTH_RATIO,
    times(size, spacing),
    times(training.size.min, training.spacing.min),
    times(training.size.max, training.spacing.max),
  );
  if (orientation === 'keep' && !training.orientations.includes(scan.orientation))
    lines.push(`axes point to ${scan.orientation}, those of training to ${training.orientations.join(', ')}`);
  for (const [i, { min, max }] of intensity.entries()) {
    const name = intensity.length > 1 ? `channel ${channels[i]}` : 'the image';
    const known = training.intensity[i];
    if (min === max) lines.push(`${name} is constant (${short(min)})`);
    else if (known && keepsUnit(ofChannel(normalisation, i))) {
      const width = known.max - known.min;
      if (min > known.max || max < known.min || max - min > 3 * width || max - min < width / 100)
        lines.push(
          `${name} has intensities from ${short(min)} to ${short(max)}, those of training are from ` +
            `${short(known.min)} to ${short(known.max)}`,
        );
    }
  }
  return lines;
}

/** Whether intensities must have the unit of training; other normalisations remove unit and scale. */
function keepsUnit(how: FittedNormalisation): boolean {
  return how === 'none' || (typeof how === 'object' && ('window' in how || isFitted(how)));
}

const short = (value: number): string => String(Number(value.toPrecision(3)));

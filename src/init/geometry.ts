// The geometry of an experiment: to which spacing volumes are resampled, whether the network sees them whole or in patches, and
// how often it can halve them.

import { type CaseFacts } from '../data/inspect/case-facts.js';
import { extentAt } from '../data/inspect/summary.js';
import { type Extent } from '../data/preprocess.js';
import { resampledSize } from '../data/resample.js';

type Grid = Pick<CaseFacts, 'size' | 'spacing'>;

/** A spacing and how it was found. */
export interface TargetSpacing {
  readonly spacing: Extent;
  /** The axis of thick slices (0 to 2), if nnU-Net's rule for anisotropic data applies. */
  readonly coarse: number | undefined;
}

/**
 * The median spacing. Where one axis is more than three times as coarse as the others and has less than a third of their voxels,
 * the 10th percentile along that axis, but not below the others (nnU-Net, `determine_fullres_target_spacing`).
 */
export function targetSpacing(cases: readonly Grid[]): TargetSpacing {
  const spacings = cases.map(({ spacing }) => spacing);
  const median = extentAt(spacings, 50);
  const voxels = extentAt(
    cases.map(({ size }) => size),
    50,
  );
  const coarse = median.indexOf(Math.max(...median));
  const others = [0, 1, 2].filter((axis) => axis !== coarse);
  const finest = (extent: Extent, of: (...values: number[]) => number): number =>
    of(...others.map((axis) => extent[axis] as number));
  const anisotropic =
    (median[coarse] as number) > 3 * finest(median, Math.max) &&
    3 * (voxels[coarse] as number) < finest(voxels, Math.min);
  if (!anisotropic) return { spacing: short(median), coarse: undefined };
  const tenth = extentAt(spacings, 10)[coarse] as number;
  const spacing = median.map((value, axis) =>
    axis === coarse ? Math.max(tenth, finest(median, Math.max)) : value,
  ) as unknown as Extent;
  return { spacing: short(spacing), coarse };
}

/** Five digits: the sizes that follow from them are the same for all volumes that there are. */
function short(spacing: Extent): Extent {
  return spacing.map((value) => Number(value.toPrecision(5))) as unknown as Extent;
}

/** Voxels of each case at a spacing. */
export function gridsAt(cases: readonly Grid[], spacing: Extent): Extent[] {
  return cases.map((each) => resampledSize(each.size, each.spacing, spacing));
}

/** The least number of voxels along an axis at the lowest resolution. */
export const LEAST_AT_BOTTOM = 4;
const MOST_LEVELS = 5;

/** As many levels as leave enough voxels at the lowest resolution along every axis, from 2 to 5. */
export function levelsFor(window: Extent): number {
  const halvings = Math.floor(Math.log2(Math.min(...window) / LEAST_AT_BOTTOM));
  return Math.min(MOST_LEVELS, Math.max(2, 1 + halvings));
}

/** The window with its axes rounded up to what so many levels can halve. */
export function rounded(window: Extent, levels: number): Extent {
  const multiple = 2 ** (levels - 1);
  return window.map((voxels) => Math.ceil(voxels / multiple) * multiple) as unknown as Extent;
}

export function voxelsOf([x, y, z]: Extent): number {
  return x * y * z;
}

/**
 * A patch of about so many voxels: the same mm along each axis, but no longer than the median volume; what an axis leaves is given
 * to the others. Rounded to what its levels can halve.
 */
export function patchFor(
  spacing: Extent,
  median: Extent,
  budget: number,
): { readonly patch: Extent; readonly levels: number } {
  const free = new Set([0, 1, 2]);
  const patch: number[] = [...median];
  // In each round, axes that would be longer than the volume are set to its length, and leave more for the others.
  for (;;) {
    const fixed = patch.reduce((product, voxels, axis) => (free.has(axis) ? product : product * voxels), 1);
    const perMm = [...free].reduce((product, axis) => product * (spacing[axis] as number), budget / fixed);
    const mm = perMm ** (1 / free.size);
    const long = [...free].filter((axis) => mm / (spacing[axis] as number) >= (median[axis] as number));
    for (const axis of free) patch[axis] = Math.min(median[axis] as number, mm / (spacing[axis] as number));
    long.forEach((axis) => free.delete(axis));
    if (long.length === 0 || free.size === 0) break;
  }
  const levels = levelsFor(patch as unknown as Extent);
  const multiple = 2 ** (levels - 1);
  return {
    patch: patch.map((voxels, axis) => {
      // A little shorter than the volume would cut it in two windows.
      const whole = voxels >= (median[axis] as number);
      return Math.max(multiple, (whole ? Math.ceil : Math.round)(voxels / multiple) * multiple);
    }) as unknown as Extent,
    levels,
  };
}

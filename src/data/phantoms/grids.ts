// The grids on which a set of phantoms is stored: spacings and orientations that change from case to case, and fields of view
// that differ, as in a collection of scans.

import { UserError } from '../../errors.js';
import { stream } from '../../random.js';
import { type Affine } from '../nifti/affine.js';
import { inWords } from '../nifti/decode.js';
import { type Orienting, inverseOf, orientExtent, orientingOf } from '../orientation.js';
import { type Extent } from '../preprocess.js';
import { type View } from './canvas.js';
import { type PhantomKind, usualSpacing } from './index.js';

/** The grids of a set. */
export interface GridSettings {
  readonly kind: PhantomKind;
  readonly seed: number;
  /** Voxels of the whole phantom along x, y, z at the first spacing. */
  readonly size: Extent;
  /** mm between voxels along x, y, z, used in turn; none: the usual one. All cover the same extent in mm. */
  readonly spacings: readonly Extent[];
  /** Where the stored axes point, such as `LPS`; every orientation occurs with every spacing. */
  readonly orientations: readonly string[];
  /** The largest part of an axis that a volume leaves out, 0 to below 1. */
  readonly jitter: number;
}

/** The grid of one case. */
export interface Grid {
  /** What the volume shows, along right, anterior, superior. */
  readonly view: View;
  /** From the axes of the view to the stored ones. */
  readonly storing: Orienting;
  /** Along the stored axes. */
  readonly size: Extent;
  readonly spacing: Extent;
  readonly affine: Affine;
}

const MOST_VOXELS = 512 ** 3;

/**
 * The grid of the case with this number, from 0; equal arguments give equal grids. Throws a UserError of kind `usage` if a
 * spacing makes volumes too large.
 */
export function gridOf(settings: GridSettings, index: number): Grid {
  const { kind, seed, size, orientations, jitter } = settings;
  const usual = usualSpacing(kind, size);
  const spacings = settings.spacings.length > 0 ? settings.spacings : [usual];
  const first = spacings[0] as Extent;
  const spacing = spacings[index % spacings.length] as Extent;
  const codes = orientations[Math.floor(index / spacings.length) % orientations.length] as string;
  const whole = each((axis) => Math.max(1, Math.round((size[axis] * first[axis]) / spacing[axis])));
  if (whole[0] * whole[1] * whole[2] > MOST_VOXELS)
    throw new UserError(
      'usage',
      `spacing ${inWords(spacing, 'mm')}: volumes of ${inWords(size, 'voxels')} of ${inWords(first, 'mm')} become ` +
        `${inWords(whole, 'voxels')}, expected at most ${MOST_VOXELS} in all; choose a larger spacing`,
    );
  const random = stream(seed, 'phantom grid', kind, size.join('x'), index);
  const left = each((axis) => random.integer(Math.floor(whole[axis] * jitter) + 1));
  const offset = each((axis) => random.integer(left[axis] + 1));
  const view: View = { size: each((axis) => whole[axis] - left[axis]), whole, offset };
  const orienting = orientingOf(codes, 'RAS');
  const storing = inverseOf(orienting);
  return {
    view,
    storing,
    size: orientExtent(view.size, storing),
    spacing: orientExtent(spacing, storing),
    affine: affineOf(view, spacing, orienting),
  };
}

/** Where the stored voxels lie: voxel (0, 0, 0) of the whole phantom, oriented, is at 0 mm. */
function affineOf({ size, offset }: View, spacing: Extent, { axes, flipped }: Orienting): Affine {
  return ([0, 1, 2] as const).map((body) => {
    const row = [0, 0, 0, 0];
    const last = size[body] - 1;
    row[axes[body]] = flipped[body] ? -spacing[body] : spacing[body];
    row[3] = (offset[body] + (flipped[body] ? last : 0)) * spacing[body];
    return row;
  });
}

function each(value: (axis: 0 | 1 | 2) => number): Extent {
  return [value(0), value(1), value(2)];
}

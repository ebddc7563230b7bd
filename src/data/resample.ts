// Resamples a volume to another grid over the same extent. docs/preprocessing.md has the formulas.

import { type Affine } from './nifti/affine.js';
import { placesAlong, sourceIndex } from './places.js';
import { type Extent } from './preprocess.js';
import { resampleAxis } from './resample-axis.js';

type Voxels = Float64Array | Float32Array | Uint8Array;
type PerAxis<T> = readonly [x: T, y: T, z: T];

/** The keys of `preprocessing` that say how volumes are resampled. */
export interface ResamplingKeys {
  /** mm along x, y, z; absent where volumes keep their grid. */
  readonly spacing?: Extent | undefined;
  readonly antialias?: boolean | undefined;
  readonly anisotropic?: boolean | undefined;
}

/** How one volume is resampled. */
export interface Resampling {
  /** Voxels along x, y, z before and after. */
  readonly from: Extent;
  readonly to: Extent;
  /** Deviation of the Gaussian that comes first, in voxels of `from`; 0 for none. */
  readonly sigma: Extent;
  /** The axes along which images take the nearest voxel; others are linear. Labels take the nearest along all. */
  readonly nearest: PerAxis<boolean>;
}

/** Axes are smoothed where voxels become more than so many times larger. */
const COARSER = 1.5;
/** A grid is anisotropic where one axis is more than so many times coarser than another (nnU-Net). */
const ANISOTROPIC = 3;

/** The size after resampling: the same extent in mm, at least one voxel along each axis. */
export function resampledSize(size: Extent, spacing: Extent, wanted: Extent): Extent {
  return size.map((voxels, axis) =>
    Math.max(1, Math.round((voxels * (spacing[axis] as number)) / (wanted[axis] as number))),
  ) as unknown as Extent;
}

/** The mm between voxels after resampling to a size: the same extent, so nearly the spacing that was wanted. */
export function resampledSpacing(size: Extent, spacing: Extent, resampled: Extent): Extent {
  return size.map(
    (voxels, axis) => (voxels * (spacing[axis] as number)) / (resampled[axis] as number),
  ) as unknown as Extent;
}

/** How a volume of `size` voxels of `spacing` mm is resampled. */
export function resamplingOf(
  size: Extent,
  spacing: Extent,
  { spacing: wanted, antialias = false, anisotropic = false }: ResamplingKeys,
): Resampling {
  const to = wanted ? resampledSize(size, spacing, wanted) : size;
  const through = wanted && anisotropic ? throughPlane(spacing, wanted) : undefined;
  return {
    from: size,
    to,
    // The deviation that scikit-image and MONAI take.
    sigma: size.map((voxels, axis) => {
      const factor = voxels / (to[axis] as number);
      return antialias && factor > COARSER ? (factor - 1) / 2 : 0;
    }) as unknown as Extent,
    nearest: [through === 0, through === 1, through === 2],
  };
}

/** Whether a volume changes its grid. */
export function changesGrid({ from, to }: Pick<Resampling, 'from' | 'to'>): boolean {
  return from.join() !== to.join();
}

/**
 * The axis of the thick slices, of the stored grid or else of the wanted one, by nnU-Net's rule: the one axis with the largest
 * spacing, if that is more than 3 times the smallest. Undefined for grids without thick slices.
 */
function throughPlane(stored: Extent, wanted: Extent): number | undefined {
  const thick = [stored, wanted].find((spacing) => Math.max(...spacing) > ANISOTROPIC * Math.min(...spacing));
  if (thick === undefined) return undefined;
  const largest = Math.max(...thick);
  return thick.filter((mm) => mm === largest).length === 1 ? thick.indexOf(largest) : undefined;
}

/** Resamples one channel of an image; the same array if its grid stays. */
export function resampleImage<T extends Float32Array | Float64Array>(voxels: T, how: Resampling): T {
  if (!changesGrid(how)) return voxels;
  const { from, to, sigma, nearest } = how;
  if (sigma.every((deviation) => deviation === 0)) return resample(voxels, from, to, nearest);
  let volume: T = voxels;
  let size: Extent = from;
  for (const axis of [0, 1, 2] as const) {
    if (size[axis] === to[axis]) continue;
    const along = { axis, to: to[axis], sigma: sigma[axis], nearest: nearest[axis] };
    volume = resampleAxis(volume, size, along);
    size = size.map((length, i) => (i === axis ? to[axis] : length)) as unknown as Extent;
  }
  return volume;
}

/** Resamples a label; the same array if its grid stays. */
export function resampleLabel<T extends Voxels>(label: T, how: Resampling): T {
  return changesGrid(how) ? resample(label, how.from, how.to, [true, true, true]) : label;
}

/** The matrix of a resampled volume: where its voxels lie in space. The corners of the volume stay where they are. */
export function resampledAffine(affine: Affine, from: Extent, to: Extent): Affine {
  return affine.map(([x = 0, y = 0, z = 0, offset = 0]) => {
    const row = [x, y, z];
    const first = row.reduce(
      (sum, mm, axis) => sum + mm * sourceIndex(0, from[axis] as number, to[axis] as number),
      offset,
    );
    return [...row.map((mm, axis) => (mm * (from[axis] as number)) / (to[axis] as number)), first];
  });
}

/** Resamples between grids that cover the same extent: along each axis linear, or the nearest voxel. */
export function resample<T extends Voxels>(
  voxels: T,
  from: Extent,
  to: Extent,
  nearest: PerAxis<boolean>,
): T {
  const out = new (voxels.constructor as new (length: number) => T)(to[0] * to[1] * to[2]);
  const xs = placesAlong(from[0], to[0], nearest[0]);
  const ys = placesAlong(from[1], to[1], nearest[1]);
  const zs = placesAlong(from[2], to[2], nearest[2]);
  const all = nearest.every(Boolean);
  let at = 0;
  for (const z of zs)
    for (const y of ys) {
      const rows = [
        (z.low * from[1] + y.low) * from[0],
        (z.low * from[1] + y.high) * from[0],
        (z.high * from[1] + y.low) * from[0],
        (z.high * from[1] + y.high) * from[0],
      ] as const;
      for (const x of xs) {
        if (all) {
          out[at++] = voxels[rows[0] + x.low] as number;
          continue;
        }
        const along = (row: number): number =>
          (voxels[row + x.low] as number) * (1 - x.weight) + (voxels[row + x.high] as number) * x.weight;
        const near = along(rows[0]) * (1 - y.weight) + along(rows[1]) * y.weight;
        const far = along(rows[2]) * (1 - y.weight) + along(rows[3]) * y.weight;
        out[at++] = near * (1 - z.weight) + far * z.weight;
      }
    }
  return out;
}

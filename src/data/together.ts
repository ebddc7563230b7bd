// Volumes of one case, checked against each other: they must lie voxel on voxel. Without Node.js.

import { UserError } from '../errors.js';
import { axisCodes } from './nifti/affine.js';
import { type Volume, inWords } from './nifti/decode.js';
import { spaceDifference } from './nifti/same-grid.js';
import { isAsStored, orient, orientAffine, orientExtent, orientingTo } from './orientation.js';
import { type Room } from './room.js';

/** What to do about files that are not as they should be. */
export interface Tolerance {
  /** About voxels of images that are no finite numbers. */
  readonly nonFinite: 'error' | 'zero';
  /** For files whose affine or spacing differ. */
  readonly affineMismatch: 'error' | 'ignore';
  /** What to do about a mismatch, for its message; default: the key of experiment files. */
  readonly advice?: string;
}

/** For scans to segment. */
export const SCANS: Tolerance = {
  nonFinite: 'zero',
  affineMismatch: 'error',
  advice: '(all channels of a scan must be on one grid: resample them to that of the first)',
};

/**
 * Lays the axes of a volume along those of another that lies in the same space but is stored in another orientation. All other
 * volumes stay as they are. Throws a UserError of kind `data` if memory for the voxels is short.
 */
export function alongside(
  volume: Volume,
  file: string,
  other: Pick<Volume, 'affine' | 'size' | 'spacing'>,
  room: Room,
): Volume {
  const orienting = orientingTo(axisCodes(volume.affine), axisCodes(other.affine));
  if (isAsStored(orienting)) return volume;
  const turned = {
    ...volume,
    size: orientExtent(volume.size, orienting),
    spacing: orientExtent(volume.spacing, orienting),
    affine: orientAffine(volume.affine, volume.size, orienting),
  };
  // Another size or place is another space: the error is about the file as it is stored.
  if (turned.size.join() !== other.size.join() || spaceDifference(turned, file, other, '') !== undefined)
    return volume;
  const { voxels, channels } = volume;
  room({
    bytes: voxels.byteLength / channels,
    longest: voxels.length,
    what: `${file}: ${inWords(volume.size, 'voxels')}, turned to the orientation of the first image,`,
    advice: 'store the files of a case in one orientation',
  });
  const each = voxels.length / channels;
  for (let at = 0; at < voxels.length; at += each)
    voxels.set(orient(voxels.subarray(at, at + each), volume.size, orienting), at);
  return turned;
}

/**
 * Requires the voxels of volumes to lie at the same places and to be finite; those of the first so many, the images, may be made
 * finite. Volumes that are stored in another orientation are laid along the first. Returns the volumes, and warnings including
 * those of the volumes. Throws a UserError of kind `data` for the first volume that does not fit.
 */
export function requireTogether(
  given: readonly Volume[],
  files: readonly string[],
  images: number,
  { nonFinite, affineMismatch, advice }: Tolerance,
  room: Room,
): { volumes: Volume[]; warnings: string[] } {
  const first = given[0] as Volume;
  const volumes = given.map((volume, i) => alongside(volume, files[i] as string, first, room));
  const warnings = volumes.flatMap((volume) => volume.warnings);
  for (const [i, volume] of volumes.entries()) {
    const file = files[i] as string;
    if (i > 0 && !sameGrid(volume, file, first, files[0] as string, affineMismatch, advice))
      warnings.push(
        'affine or spacing of image and label differ; the grid of the first image is used for all files',
      );
    if (replaceNonFinite(volume.voxels, file, i < images && nonFinite === 'zero'))
      warnings.push('voxels that are NaN, infinite or beyond float32 were set to 0');
  }
  return { volumes, warnings };
}

/** Whether two volumes of a case have the same grid. Throws if they must and do not; their sizes must always agree. */
function sameGrid(
  volume: Volume,
  file: string,
  first: Volume,
  firstFile: string,
  affineMismatch: 'error' | 'ignore',
  advice = '(to use it anyway, on the grid of the image: dataset.affineMismatch: ignore)',
): boolean {
  const difference = spaceDifference(volume, file, first, firstFile);
  if (difference === undefined) return true;
  if (affineMismatch === 'ignore') return false;
  throw new UserError('data', `${difference} ${advice}`);
}

const MAX_FLOAT32 = 3.4028234e38;

/** Sets voxels that float32 cannot represent to 0 if allowed, else throws. Returns whether there were any. */
function replaceNonFinite(voxels: Float32Array | Float64Array, file: string, allowed: boolean): boolean {
  let bad = 0;
  for (let i = 0; i < voxels.length; i++) {
    if (Math.abs(voxels[i] as number) <= MAX_FLOAT32) continue; // false for NaN
    bad++;
    if (allowed) voxels[i] = 0;
  }
  if (bad > 0 && !allowed)
    throw new UserError(
      'data',
      `${file}: found ${bad} voxel${bad > 1 ? 's' : ''} that are NaN, infinite or beyond float32, expected finite ` +
        'numbers (to set those of images to 0: dataset.nonFinite: zero)',
    );
  return bad > 0;
}

// Volumes of one case, checked against each other: they must lie voxel on voxel. Without Node.js.

import { UserError } from '../errors.js';
import { type Volume } from './nifti/decode.js';
import { spaceDifference } from './nifti/same-grid.js';

/** What to do about files that are not as they should be. */
export interface Tolerance {
  /** About voxels of images that are no finite numbers. */
  readonly nonFinite: 'error' | 'zero';
  /** For files whose affine or spacing differ. */
  readonly affineMismatch: 'error' | 'ignore';
}

/**
 * Requires the grids of volumes to be equal and their voxels to be finite, which they are made in the first so many, the images,
 * where that is tolerated. Returns warnings, those of the volumes among them. Throws a UserError of kind `data` for the first
 * that does not fit.
 */
export function requireTogether(
  volumes: readonly Volume[],
  files: readonly string[],
  images: number,
  { nonFinite, affineMismatch }: Tolerance,
): string[] {
  const first = volumes[0] as Volume;
  const warnings = volumes.flatMap((volume) => volume.warnings);
  for (const [i, volume] of volumes.entries()) {
    const file = files[i] as string;
    if (i > 0 && !sameGrid(volume, file, first, files[0] as string, affineMismatch))
      warnings.push(
        'affine or spacing of image and label differ; the grid of the first image is used for all files',
      );
    if (replaceNonFinite(volume.voxels, file, i < images && nonFinite === 'zero'))
      warnings.push('voxels that are NaN, infinite or beyond float32 were set to 0');
  }
  return warnings;
}

/** Whether two volumes of a case have the same grid. Throws if they must and do not; their sizes must always agree. */
function sameGrid(
  volume: Volume,
  file: string,
  first: Volume,
  firstFile: string,
  affineMismatch: 'error' | 'ignore',
): boolean {
  const difference = spaceDifference(volume, file, first, firstFile);
  if (difference === undefined) return true;
  if (affineMismatch === 'ignore') return false;
  const advice = '(to use it anyway, on the grid of the image: dataset.affineMismatch: ignore)';
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

// Compares the grids of two volumes.

import { UserError } from '../../errors.js';
import { affineDistance } from './affine.js';
import { type NiftiHeader } from './header.js';
import { inWords } from './decode.js';

type Grid = Pick<NiftiHeader, 'size' | 'spacing' | 'affine'>;

/**
 * A message if a volume differs by more than 0.001 mm from the position in space of another volume; undefined if it does not.
 * Throws a UserError of kind `data` if their sizes differ.
 */
export function spaceDifference(
  volume: Grid,
  file: string,
  other: Grid,
  otherFile: string,
): string | undefined {
  if (volume.size.join() !== other.size.join())
    throw new UserError(
      'data',
      `${file}: dim: found ${inWords(volume.size, 'voxels')}, but ${otherFile} has ${inWords(other.size, 'voxels')}`,
    );
  const spaced = volume.spacing.every(
    (value, axis) => Math.abs(value - (other.spacing[axis] as number)) <= 1e-3,
  );
  if (!spaced)
    return (
      `${file}: pixdim: found a spacing of ${inWords(volume.spacing, 'mm')}, but ${otherFile} has ` +
      inWords(other.spacing, 'mm')
    );
  const distance = affineDistance(volume.affine, other.affine, other.size);
  return distance <= 1e-3
    ? undefined
    : `${file}: affine: found voxels up to ${distance.toPrecision(3)} mm away from those of ${otherFile}, expected ` +
        'at most 0.001 mm';
}

// Files of one case, read and checked against each other.

import { type Volume } from './nifti/decode.js';
import { readNifti } from './nifti/read.js';
import { type Scaled } from './nifti/voxels.js';
import { type Room } from './room.js';
import { type Tolerance, requireTogether } from './together.js';

/**
 * Reads files whose grids must be equal; the first `images` files are images. Throws a UserError of kind `data` for the first
 * file that cannot be read or does not match.
 */
export async function readTogether(
  files: readonly string[],
  images: number,
  tolerance: Tolerance,
  room: Room,
  scaled?: Scaled,
): Promise<{ volumes: Volume[]; warnings: string[] }> {
  // One by one, so that each checks for free memory after the previous one has allocated its own.
  const volumes: Volume[] = [];
  for (const file of files) volumes.push(await readNifti(file, room, scaled));
  return requireTogether(volumes, files, images, tolerance, room);
}

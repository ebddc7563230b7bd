// The boundary of a mask as its outermost voxels.

import { type Extent } from '../data/preprocess.js';

/** A mask (0, 1) minus its erosion: its voxels with at least one of six neighbours outside. Everything beyond the grid is outside. */
export function boundaryOf(mask: Uint8Array, [nx, ny, nz]: Extent): Uint8Array {
  const boundary = new Uint8Array(mask.length);
  const plane = nx * ny;
  let at = 0;
  for (let z = 0; z < nz; z++)
    for (let y = 0; y < ny; y++) {
      const edge = z === 0 || z === nz - 1 || y === 0 || y === ny - 1;
      for (let x = 0; x < nx; x++, at++)
        if (mask[at] === 1)
          boundary[at] =
            edge ||
            x === 0 ||
            x === nx - 1 ||
            mask[at - 1] === 0 ||
            mask[at + 1] === 0 ||
            mask[at - nx] === 0 ||
            mask[at + nx] === 0 ||
            mask[at - plane] === 0 ||
            mask[at + plane] === 0
              ? 1
              : 0;
    }
  return boundary;
}

/** The indices at which a mask is 1, in ascending order. */
export function indicesOf(mask: Uint8Array): Uint32Array {
  let count = 0;
  for (let i = 0; i < mask.length; i++) count += mask[i] as number;
  const indices = new Uint32Array(count);
  for (let i = 0, at = 0; i < mask.length; i++) if (mask[i] === 1) indices[at++] = i;
  return indices;
}

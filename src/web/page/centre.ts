// The voxel where the planes cross at first.

import { type Extent } from '../../data/preprocess.js';

/** The labelled voxel nearest to the centre of all labelled voxels; without labels, the centre of the volume. */
export function centreOf(labels: Uint8Array | undefined, size: Extent): Extent {
  const middle = [0, 0, 0];
  let count = 0;
  eachLabelled(labels, size, (...voxel) => {
    count++;
    for (const axis of [0, 1, 2]) middle[axis] = (middle[axis] as number) + (voxel[axis] as number);
  });
  if (count === 0) return size.map((length) => Math.floor(length / 2)) as unknown as Extent;
  const [x0, y0, z0] = middle.map((sum) => sum / count) as [number, number, number];
  let nearest: Extent = [0, 0, 0];
  let least = Infinity;
  eachLabelled(labels, size, (x, y, z) => {
    const distance = (x - x0) ** 2 + (y - y0) ** 2 + (z - z0) ** 2;
    if (distance < least) [least, nearest] = [distance, [x, y, z]];
  });
  return nearest;
}

function eachLabelled(
  labels: Uint8Array | undefined,
  [nx, ny, nz]: Extent,
  visit: (x: number, y: number, z: number) => void,
): void {
  if (labels === undefined) return;
  for (let z = 0, at = 0; z < nz; z++)
    for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++, at++) if (labels[at] !== 0) visit(x, y, z);
}

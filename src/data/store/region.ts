// Boxes of prepared volumes, from memory or from a file. Outside of the volume they are zero, as padding is.

import { type Sample } from '../../engine/engine.js';
import { type Extent } from '../preprocess.js';
import { type CaseFile, bytesOf, readFully } from './case-file.js';

/** The rows that a box and a grid share. */
interface Shared {
  /** First and last index, exclusive, along x, y, z of the box. */
  readonly first: Extent;
  readonly last: Extent;
}

function sharedPart(grid: Extent, start: Extent, size: Extent): Shared | undefined {
  const along = (pick: (axis: 0 | 1 | 2) => number): Extent => [pick(0), pick(1), pick(2)];
  const first = along((axis) => Math.max(0, -start[axis]));
  const last = along((axis) => Math.min(size[axis], grid[axis] - start[axis]));
  return last.every((end, axis) => end > (first[axis] as number)) ? { first, last } : undefined;
}

const voxelsOf = ([x, y, z]: Extent): number => x * y * z;

function emptySample(channels: number, size: Extent): Sample {
  const voxels = voxelsOf(size);
  return { image: new Float32Array(channels * voxels), label: new Uint8Array(voxels) };
}

/** The box of `size` voxels at `start` (x, y, z) of a case in memory with this grid. */
export function regionOf({ image, label }: Sample, grid: Extent, start: Extent, size: Extent): Sample {
  const channels = image.length / label.length;
  const box = emptySample(channels, size);
  const shared = sharedPart(grid, start, size);
  if (shared === undefined) return box;
  for (let c = 0; c < channels; c++)
    for (let z = shared.first[2]; z < shared.last[2]; z++) {
      const plane = (c * grid[2] + z + start[2]) * grid[1] * grid[0];
      const out = (c * size[2] + z) * size[1] * size[0];
      copyRows(image, plane + start[1] * grid[0] + start[0], grid[0], box.image, out, size, shared);
      if (c === 0)
        copyRows(label, plane + start[1] * grid[0] + start[0], grid[0], box.label, out, size, shared);
    }
  return box;
}

/** Copies rows of a plane; `from` is the place of the box's first voxel in it, `stride` its length of rows. */
function copyRows(
  voxels: Float32Array | Uint8Array,
  from: number,
  stride: number,
  out: Float32Array | Uint8Array,
  at: number,
  size: Extent,
  { first, last }: Shared,
): void {
  for (let y = first[1]; y < last[1]; y++)
    out.set(
      voxels.subarray(from + y * stride + first[0], from + y * stride + last[0]),
      at + y * size[0] + first[0],
    );
}

/** Planes that are read at the same time. */
const AT_ONCE = 4;

/** The box of `size` voxels at `start` (x, y, z) of a case in a file: reads only the rows that it touches. */
export async function readRegion(source: CaseFile, start: Extent, size: Extent): Promise<Sample> {
  const { facts, file, imageAt, labelAt } = source;
  const { grid, channels } = facts;
  const box = emptySample(channels, size);
  const shared = sharedPart(grid, start, size);
  if (shared === undefined) return box;
  const { first, last } = shared;
  // A plane is read from its first to its last voxel in the box, with what lies between its rows.
  const span = (last[1] - first[1] - 1) * grid[0] + last[0] - first[0];
  const depth = last[2] - first[2];
  let next = 0;
  const lane = async (): Promise<void> => {
    const scratch = new Float32Array(span);
    const bytes = bytesOf(scratch);
    for (let plane = next++; plane < (channels + 1) * depth; plane = next++) {
      const c = Math.floor(plane / depth);
      const z = first[2] + (plane % depth);
      const isLabel = c === channels;
      const channel = isLabel ? 0 : c;
      const voxel =
        ((channel * grid[2] + z + start[2]) * grid[1] + first[1] + start[1]) * grid[0] + first[0] + start[0];
      if (isLabel) await readFully(file, bytes.subarray(0, span), labelAt + voxel);
      else await readFully(file, bytes, imageAt + 4 * voxel);
      const from = -(first[1] * grid[0] + first[0]);
      const out = (channel * size[2] + z) * size[1] * size[0];
      copyRows(isLabel ? bytes : scratch, from, grid[0], isLabel ? box.label : box.image, out, size, shared);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return box;
}

/** The whole case in a file. */
export async function readWhole({ facts, file, imageAt, labelAt }: CaseFile): Promise<Sample> {
  const whole = emptySample(facts.channels, facts.grid);
  await readFully(file, bytesOf(whole.image), imageAt);
  await readFully(file, whole.label, labelAt);
  return whole;
}

// Where the patches of an epoch lie. All random numbers come from streams that the caller keys by epoch, batch and place.

import { samplesPerEpoch } from '../config/window.js';
import { type Experiment } from '../config/schema.js';
import { type Extent } from '../data/preprocess.js';
import { type RandomStream, shuffled } from '../random.js';

export type PatchSettings = NonNullable<Experiment['training']['patch']>;

/** The case of each patch of an epoch: every case once in a random order, again and again in another one. */
export function patchOrder(
  cases: readonly string[],
  patch: PatchSettings,
  streamOf: (round: number) => RandomStream,
): string[] {
  const wanted = samplesPerEpoch({ patch }, cases.length);
  const rounds = Array.from({ length: Math.ceil(wanted / cases.length) }, (_, round) =>
    shuffled(cases, streamOf(round)),
  );
  return rounds.flat().slice(0, wanted);
}

/**
 * Which patches of an epoch are centred on foreground: a share of them, spread evenly. So every batch has its share as nearly as
 * whole numbers allow, and the mean is right for batches of one patch too. `phase`, from 0 to 1, moves them.
 */
export function centredOnes({ foreground }: PatchSettings, phase: number): (index: number) => boolean {
  return (index) => Math.floor((index + 1) * foreground + phase) > Math.floor(index * foreground + phase);
}

/**
 * Where a patch begins (x, y, z): centred on a voxel of a random output that has `positions`, or anywhere. It lies within the volume;
 * along an axis on which the volume is shorter, the volume lies in its middle, as prediction places it.
 */
export function patchStart(
  grid: Extent,
  size: Extent,
  positions: readonly Uint32Array[],
  random: RandomStream,
): Extent {
  const present = positions.filter(({ length }) => length > 0);
  const chosen = present.length > 0 ? present[random.integer(present.length)] : undefined;
  const position = chosen && (chosen[random.integer(chosen.length)] as number);
  const centre = position === undefined ? undefined : coordinatesOf(position, grid);
  const along = (axis: 0 | 1 | 2): number => {
    const room = grid[axis] - size[axis];
    if (room < 0) return -Math.floor(-room / 2);
    if (centre === undefined) return random.integer(room + 1);
    return Math.min(Math.max(centre[axis] - Math.floor(size[axis] / 2), 0), room);
  };
  return [along(0), along(1), along(2)];
}

function coordinatesOf(position: number, [width, height]: Extent): Extent {
  return [position % width, Math.floor(position / width) % height, Math.floor(position / (width * height))];
}

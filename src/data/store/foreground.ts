// Where the voxels of each output are, so that patches can be centred on them.

import { type LabelTargets } from '../../engine/engine.js';
import { stream } from '../../random.js';

/** Positions kept for each output of a case (nnU-Net keeps as many). */
const MOST = 10_000;

/**
 * Positions, ascending, of the voxels of each output in a label volume (z, y, x): all of them, or `most` that are drawn
 * evenly, one from each of so many equal parts of their list. The draw is always the same.
 */
export function foregroundPositions(
  label: Uint8Array,
  targets: LabelTargets,
  outputs: number,
  most = MOST,
): Uint32Array[] {
  const counts = new Float64Array(256);
  for (let i = 0; i < label.length; i++) {
    const index = label[i] as number;
    counts[index] = (counts[index] as number) + 1;
  }
  return Array.from({ length: outputs }, (_, output) => {
    const member = targets.map((mask) => (mask >>> output) & 1);
    const count = counts.reduce((sum, voxels, index) => sum + voxels * (member[index] as number), 0);
    return count === 0 ? new Uint32Array() : positionsOf(label, member, chosenRanks(count, most, output));
  });
}

/** Which of `count` voxels are kept, ascending. */
function chosenRanks(count: number, most: number, output: number): Float64Array {
  if (count <= most) return Float64Array.from({ length: count }, (_, i) => i);
  const random = stream(0, 'foreground', output);
  const bound = (i: number): number => Math.floor((i * count) / most);
  return Float64Array.from({ length: most }, (_, i) => bound(i) + random.integer(bound(i + 1) - bound(i)));
}

function positionsOf(label: Uint8Array, member: Uint32Array, ranks: Float64Array): Uint32Array {
  const positions = new Uint32Array(ranks.length);
  for (let i = 0, rank = 0, next = 0; next < ranks.length; i++)
    if (member[label[i] as number] === 1 && rank++ === ranks[next]) positions[next++] = i;
  return positions;
}

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { overlapCounter } from '../../src/inference/overlap.js';
import { stream } from '../../src/random.js';

it('overlaps are counted plane by plane as over the whole volume, for outputs that share labels', () => {
  const [w, h, d, outputs] = [5, 3, 4, 3];
  const [area, voxels] = [w * h, w * h * d];
  const random = stream(3, 'overlap');
  const label = Uint8Array.from({ length: voxels }, () => Math.floor(4 * random.uniform()));
  // Output 0 is label 1 or 2, output 1 is label 2, output 31 would be label 3: here output 2.
  const targets = new Uint32Array(256);
  targets.set([0b000, 0b001, 0b011, 0b100]);
  const p = Float32Array.from({ length: outputs * voxels }, () => random.uniform());
  // Exactly 0.5 is outside.
  p.fill(0.5, 0, 7);
  const { take, overlap } = overlapCounter(outputs, label, targets);
  for (let z = 0; z < d; z++) {
    const plane = new Float32Array(outputs * area);
    for (let k = 0; k < outputs; k++)
      plane.set(p.subarray(k * voxels + z * area, k * voxels + (z + 1) * area), k * area);
    take(z, plane);
  }
  const members = [[1, 2], [2], [3]];
  for (const [k, values] of members.entries()) {
    const truth = [...label].map((index) => values.includes(index));
    const found = [...p.subarray(k * voxels, (k + 1) * voxels)].map((value) => value > 0.5);
    const count = (of: readonly boolean[]): number => of.filter(Boolean).length;
    assert.deepEqual(
      [overlap.intersection[k], overlap.predicted[k], overlap.target[k]],
      [count(truth.map((t, i) => t && (found[i] as boolean))), count(found), count(truth)],
    );
  }
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Orienting,
  isAsStored,
  orient,
  orientExtent,
  orientingOf,
  storedSteps,
} from '../../src/data/orientation.js';
import { type Extent } from '../../src/data/preprocess.js';

const ENDS = ['LR', 'PA', 'IS'];

/** All 48 orientations along the axes of the body. */
const CODES = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
].flatMap((order) =>
  [0, 1, 2, 3, 4, 5, 6, 7].map((bits) =>
    order.map((body, stored) => ENDS[body]?.[(bits >> stored) & 1]).join(''),
  ),
);

/** Voxels of the body along right, anterior, superior, all with different values. */
const BODY: Extent = [2, 3, 4];
const valueAt = (r: number, a: number, s: number): number => 100 * r + 10 * a + s;

/** A volume of the body, stored voxel by voxel with these axis codes: independent of the tested code. */
function stored(codes: string): { voxels: Float32Array; size: Extent } {
  const bodyOf = [...codes].map((code) => ENDS.findIndex((ends) => ends.includes(code)));
  const size = bodyOf.map((body) => BODY[body]) as unknown as Extent;
  const voxels = new Float32Array(24);
  for (let k = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++)
      for (let i = 0; i < size[0]; i++) {
        const place = [0, 0, 0];
        for (const [axis, index] of [i, j, k].entries()) {
          const body = bodyOf[axis] as number;
          const forwards = codes[axis] === ENDS[body]?.[1];
          place[body] = forwards ? index : (BODY[body] as number) - 1 - index;
        }
        voxels[(k * size[1] + j) * size[0] + i] = valueAt(place[0] ?? 0, place[1] ?? 0, place[2] ?? 0);
      }
  return { voxels, size };
}

describe('orientation', () => {
  it('lays all 48 ways of storing a volume along right, anterior, superior', () => {
    assert.equal(new Set(CODES).size, 48);
    const expected = stored('RAS').voxels;
    for (const codes of CODES) {
      const { voxels, size } = stored(codes);
      const orienting = orientingOf(codes, 'RAS');
      assert.deepEqual(orientExtent(size, orienting), BODY, codes);
      assert.deepEqual(orient(voxels, size, orienting), expected, codes);
      assert.equal(isAsStored(orienting), codes === 'RAS', codes);
    }
  });

  it('finds each voxel back where it is stored', () => {
    for (const codes of CODES) {
      const { voxels, size } = stored(codes);
      const { first, steps } = storedSteps(size, orientingOf(codes, 'RAS'));
      for (let s = 0; s < BODY[2]; s++)
        for (let a = 0; a < BODY[1]; a++)
          for (let r = 0; r < BODY[0]; r++)
            assert.equal(voxels[first + r * steps[0] + a * steps[1] + s * steps[2]], valueAt(r, a, s), codes);
    }
  });

  it('leaves volumes as they are stored if asked to, without a copy', () => {
    const { voxels, size } = stored('LPS');
    const orienting: Orienting = orientingOf('LPS', 'keep');
    assert.equal(orient(voxels, size, orienting), voxels);
    const ras = stored('RAS');
    assert.equal(orient(ras.voxels, ras.size, orientingOf('RAS', 'RAS')), ras.voxels);
  });
});

// Planes as radiologists look at them, on a volume whose voxels tell where they are.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { centreOf } from '../../../src/web/page/centre.js';
import { PLANES, cutPlane, placeOf, voxelAt } from '../../../src/web/page/planes.js';

const size = [3, 4, 5] as const;
/** Voxel (x, y, z) is 100 x + 10 y + z, with x to the left, y to the back and z downwards at 0. */
const volume = new Uint8Array(60);
for (let z = 0, at = 0; z < 5; z++)
  for (let y = 0; y < 4; y++) for (let x = 0; x < 3; x++) volume[at++] = 80 * x + 10 * y + z;
const voxel = (x: number, y: number, z: number): number => 80 * x + 10 * y + z;

describe('planes', () => {
  it('have the right of the patient on the left, the front or the head on top', () => {
    const [axial, coronal, sagittal] = PLANES.map((plane) => cutPlane(volume, size, plane, 1));
    // x = 2 is the patient's right-most voxel, y = 3 the front-most, z = 4 the upper-most.
    assert.equal(axial?.[0], voxel(2, 3, 1));
    assert.equal(axial?.[2], voxel(0, 3, 1), 'the upper right corner');
    assert.equal(axial?.at(-1), voxel(0, 0, 1));
    assert.equal(coronal?.[0], voxel(2, 1, 4));
    assert.equal(coronal?.at(-1), voxel(0, 1, 0));
    assert.equal(sagittal?.[0], voxel(1, 3, 4), 'the face is on the left');
    assert.equal(sagittal?.at(-1), voxel(1, 0, 0));
    assert.deepEqual(
      [axial, coronal, sagittal].map((plane) => plane?.length),
      [12, 15, 20],
    );
  });
  it('show each voxel of a slice where a click finds it', () => {
    for (const plane of PLANES) {
      const [width, height] = [size[plane.across], size[plane.down]];
      for (let slice = 0; slice < size[plane.through]; slice++) {
        const cut = cutPlane(volume, size, plane, slice);
        const start = [0, 0, 0].map((_, axis) => (axis === plane.through ? slice : 0));
        for (let row = 0; row < height; row++)
          for (let column = 0; column < width; column++) {
            const place = [(column + 0.5) / width, (row + 0.5) / height] as const;
            const found = voxelAt(plane, size, place, start as [number, number, number]);
            assert.equal(cut[row * width + column], voxel(...(found as [number, number, number])));
            const back = placeOf(plane, size, found);
            assert.ok(Math.hypot(back[0] - place[0], back[1] - place[1]) < 1e-12);
          }
      }
    }
  });
  it('take a click beyond the edge as one on it', () => {
    const [axial] = PLANES;
    assert.ok(axial);
    assert.deepEqual(voxelAt(axial, size, [-0.2, 1], [1, 1, 1]), [2, 0, 1]);
    assert.deepEqual(voxelAt(axial, size, [1.5, 0], [1, 1, 1]), [0, 3, 1]);
  });
});

describe('the first cross-hair', () => {
  it('is in what was found, at its middle', () => {
    const labels = new Uint8Array(60);
    for (const y of [0, 2, 3]) labels[(3 * 4 + y) * 3 + 2] = 1;
    labels[(4 * 4 + 1) * 3 + 2] = 2;
    assert.deepEqual(centreOf(labels, size), [2, 2, 3]);
  });
  it('is in the middle of the volume where nothing was', () => {
    assert.deepEqual(centreOf(new Uint8Array(60), size), [1, 2, 2]);
    assert.deepEqual(centreOf(undefined, size), [1, 2, 2]);
  });
});

// Outlines against a plain look at every pair of neighbours.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { outlineOf } from '../../../src/web/page/outline.js';

/** Edges of length 1 that lines are made of, sorted. */
function unitEdges(lines: readonly number[]): string[] {
  const edges: string[] = [];
  for (let i = 0; i < lines.length; i += 4) {
    const [x0, y0, x1, y1] = lines.slice(i, i + 4) as [number, number, number, number];
    assert.ok(x0 === x1 ? y1 > y0 : y0 === y1 && x1 > x0, 'lines run along an axis');
    for (let x = x0; x < x1; x++) edges.push(`${x},${y0} across`);
    for (let y = y0; y < y1; y++) edges.push(`${x0},${y} down`);
  }
  return edges.sort();
}

it('draws every edge between a member and what is none, once', () => {
  const planes = fc
    .record({ width: fc.integer({ min: 1, max: 7 }), height: fc.integer({ min: 1, max: 6 }) })
    .chain(({ width, height }) =>
      fc.record({
        width: fc.constant(width),
        height: fc.constant(height),
        plane: fc.uint8Array({ minLength: width * height, maxLength: width * height, max: 2 }),
      }),
    );
  fc.assert(
    fc.property(planes, ({ width, height, plane }) => {
      const member = Uint8Array.of(0, 1, 0);
      const padded = (x: number, y: number): number =>
        x < 0 || y < 0 || x >= width || y >= height ? 0 : (member[plane[y * width + x] as number] as number);
      const expected: string[] = [];
      for (let y = 0; y <= height; y++)
        for (let x = 0; x <= width; x++) {
          if (padded(x, y) !== padded(x, y - 1)) expected.push(`${x},${y} across`);
          if (padded(x, y) !== padded(x - 1, y)) expected.push(`${x},${y} down`);
        }
      assert.deepEqual(unitEdges(outlineOf(plane, width, height, member)), expected.sort());
    }),
  );
});

it('joins edges to lines: a rectangle has four', () => {
  const plane = Uint8Array.of(0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0);
  assert.deepEqual(
    outlineOf(plane, 4, 3, Uint8Array.of(0, 1, 1)),
    [1, 1, 3, 1, 1, 2, 3, 2, 1, 1, 1, 2, 3, 1, 3, 2],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Affine, axisCodes } from '../../../src/data/nifti/affine.js';

test('axis codes of all 48 ways in which axes can lie, whatever spacing, offset and a tilt below 45 degrees', () => {
  const letters = ['LR', 'PA', 'IS'];
  const spacing = [0.5, 3, 1];
  const [cos, sin] = [Math.cos(0.5), Math.sin(0.5)];
  const tilt = [
    [cos, -sin, 0],
    [sin, cos, 0],
    [0, 0, 1],
  ];
  const seen = new Set<string>();
  for (const order of [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ])
    // prettier-ignore
    for (let signs = 0; signs < 8; signs++) {
      const negative = (column: number): boolean => ((signs >> column) & 1) === 1;
      const straight = [0, 1, 2].map((row) =>
        [0, 1, 2].map((column) =>
          order[column] === row ? (negative(column) ? -1 : 1) * (spacing[column] as number) : 0,
        ),
      );
      const expected = order.map((row, column) => letters[row]?.[negative(column) ? 0 : 1]).join('');
      const tilted = tilt.map((weights) =>
        [0, 1, 2].map((column) =>
          weights.reduce((sum, weight, k) => sum + weight * (straight[k]?.[column] as number), 0),
        ),
      );
      for (const rows of [straight, tilted]) {
        const affine: Affine = rows.map((row, i) => [...row, 10 * i]);
        assert.equal(axisCodes(affine), expected);
      }
      seen.add(expected);
    }
  assert.equal(seen.size, 48);
});

test('axis codes name each direction once, even half-way between two', () => {
  const half = Math.SQRT1_2;
  const codes = axisCodes([
    [half, -half, 0, 0],
    [half, half, 0, 0],
    [0, 0, 1, 0],
  ]);
  assert.match(codes, /^(RA|AL)S$/);
});

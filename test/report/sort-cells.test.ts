// The order of cells in a column of the page.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { compareCells } from '../../src/report/sort-cells.js';

const sorted = (cells: readonly string[], numeric: boolean, up: boolean): string[] =>
  [...cells].sort((a, b) => compareCells(a, b, numeric, up));

const numbers: [what: string, rising: string[]][] = [
  ['Dice', ['0.7000 ± 0.0100', '*0.8600 ± 0.0010*', '≤ 0.9500 ± 0.0100 at 50 ± 2 %', '1.0000 ± 0.0000']],
  ['parameters', ['827', '1,373', '20,513', '1,353,949']],
  ['differences', ['-0.3844', '-0.0037', '+0.0001', '+0.1000']],
  ['intervals', ['-0.0083 to +0.0023', '-0.0010 to +0.0900', '+0.0010 to +0.0020']],
  ['p', ['< 0.001', '0.001', '0.012', '1.000']],
];

for (const [what, rising] of numbers) {
  it(`sorts ${what} by value, empty cells last both ways`, () => {
    const mixed = ['', ...rising].reverse();
    assert.deepEqual(sorted(mixed, true, true), [...rising, '']);
    assert.deepEqual(sorted(mixed, true, false), [...[...rising].reverse(), '']);
  });
}

it('sorts names as people do, and not by numbers in them', () => {
  const rising = ['lunet-n2', 'lunet-n10', 'stamp 5%', 'stamp 25%', 'unet-n4'];
  assert.deepEqual(sorted([...rising].reverse(), false, true), rising);
});

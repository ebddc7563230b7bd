// Tables on a terminal: as wide as they need, narrowed to what there is.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatTable } from '../../src/cli/terminal.js';

const columns = [{ title: 'Method' }, { title: 'Dice', align: 'right' as const }];
const rows = [
  ['random-in-block/75%-random', '≤ 0.9'],
  ['unet', '0.95'],
];

describe('formatTable', () => {
  it('aligns columns', () => {
    assert.equal(
      formatTable(columns, rows, Infinity),
      [
        'Method                       Dice',
        '--------------------------  -----',
        'random-in-block/75%-random  ≤ 0.9',
        'unet                         0.95',
      ].join('\n'),
    );
  });
  it('goes on in further lines where the terminal is narrow, numbers whole', () => {
    assert.equal(
      formatTable(columns, rows, 24),
      [
        'Method              Dice',
        '-----------------  -----',
        'random-in-block/   ≤ 0.9',
        '75%-random',
        'unet                0.95',
      ].join('\n'),
    );
  });
  it('breaks words that have no place to break at', () => {
    const lines = formatTable(columns, [['x'.repeat(30), '1']], 20).split('\n');
    assert.deepEqual(lines.slice(2), [`${'x'.repeat(14)}     1`, 'x'.repeat(14), 'xx']);
  });
  it('never makes a column of text narrower than ten characters', () => {
    const widest = formatTable(columns, rows, 5)
      .split('\n')
      .map(({ length }) => length);
    assert.equal(Math.max(...widest), 17);
  });
});

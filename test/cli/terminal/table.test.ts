// Terminal output: tables fit the width, and control characters in data are escaped.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { visible } from '../../../src/cli/terminal/output.js';
import { formatTable } from '../../../src/cli/terminal/table.js';
import { emptyFolder, lunet } from '../lunet.js';

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

describe('visible', () => {
  it('writes out all that a terminal would obey', () => {
    assert.equal(
      visible('a\x1b[31mb\x07\r\t\x7f\x9b2J\u202e\u2066\u2028é\n'),
      'a\\x1b[31mb\\x07\\x0d\\x09\\x7f\\x9b2J\\u202e\\u2066\\u2028é\n',
    );
  });
  it('makes columns that agree with what is written', () => {
    const [, , first, second] = formatTable(
      columns,
      [
        ['\x1b[2J', '1'],
        ['海馬', '2'],
      ],
      40,
    ).split('\n');
    assert.equal(first, '\\x1b[2J     1');
    assert.equal(second, '海馬        2');
  });
});

describe('names with control characters', () => {
  const cwd = emptyFolder();
  const EVIL = '\x1b]0;owned\x07\x1b[31m\u202e\x9b2J';
  const reaches = (...args: string[]): string => {
    const { stdout, stderr } = lunet(args, { cwd });
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(stdout + stderr, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/, args.join(' '));
    return stdout + stderr;
  };
  it('are shown harmless: files, options, config texts, commands', () => {
    for (const args of [
      [EVIL],
      ['train', `${EVIL}.yaml`],
      ['train', `--${EVIL}`],
      ['train', '--model', EVIL],
      ['train', '--seeds', EVIL],
      ['train', '--set', `experiment=${EVIL}`],
      ['train', '--set', `${EVIL}=1`],
      ['train', '--set', `dataset.labels={"${EVIL}": 1}`],
      ['info', `${EVIL}.safetensors`],
    ])
      assert.match(reaches(...args), /\\x1b|\\u001b/, args.join(' '));
  });
  it('are in JSON and YAML what they were', () => {
    const settings = ['--set', 'dataset.layout=decathlon', '--set', `dataset.root="\\e[31m\\u202e\\x9b"`];
    const json = JSON.parse(lunet(['config', '--json', ...settings], { cwd }).stdout) as {
      config: { dataset: { root: string } };
    };
    assert.equal(json.config.dataset.root, '\x1b[31m\u202e\x9b');
    const yaml = lunet(['config', '--print', ...settings], { cwd }).stdout;
    assert.equal((parse(yaml) as { dataset: { root: string } }).dataset.root, '\x1b[31m\u202e\x9b');
    for (const option of ['--print', '--json']) reaches('config', option, ...settings);
  });
});

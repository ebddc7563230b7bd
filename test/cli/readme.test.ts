// The session in the README has the real output of the commands on the default experiment, except for measured values.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { BIN, emptyFolder, plainEnvironment } from './lunet.js';

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');

/** A line without text that depends on the machine: Dice, times, widths of columns, path of lunet, engine. */
function comparable(line: string): string {
  return line
    .replace(/(\d+ h )?\d+ min( \d+ s)?|\d+\.\d+ s/g, 'TIME')
    .replace(/\d+\.\d+/g, 'FIGURE')
    .replace(/^(widest best) [\d,]+/, '$1 WHERE')
    .replace(/^(Config: ).*?([\w-]+\.yaml)$/, '$1$2')
    .replace(/^(Engine: \w+ ).*/, '$1')
    .replace(/-{3,}/g, '---')
    .replace(/ +/g, ' ')
    .trim();
}

/** The first line of a session that is missing in the output or in the wrong place; `...` stands for any lines. */
function firstMissing(expected: readonly string[], printed: readonly string[]): string | undefined {
  let at = 0;
  let anywhere = false;
  for (const line of expected) {
    if (line === '...') anywhere = true;
    else {
      const found = printed.slice(at).findIndex((each) => comparable(each) === comparable(line));
      if (found < 0 || (!anywhere && found > 0)) return line;
      at += found + 1;
      anywhere = false;
    }
  }
  return anywhere || printed.slice(at).every((line) => line === '') ? undefined : printed[at];
}

it("the README's session prints what it says", () => {
  const [, session = ''] = /```\n(\$ npx lunet train\n[^`]*)```/.exec(readme) ?? [];
  const commands = session.split(/^\$ npx lunet /m).slice(1);
  assert.equal(commands.length, 4);
  const cwd = emptyFolder();
  for (const command of commands) {
    const [words = '', ...expected] = command.trimEnd().split('\n');
    const { status, stdout } = spawnSync(
      'sh',
      ['-c', `exec "$0" "$1" ${words} 2>&1`, process.execPath, BIN],
      {
        cwd,
        encoding: 'utf8',
        env: plainEnvironment({ LUNET_CACHE: 'off' }),
      },
    );
    assert.equal(status, 0, stdout);
    const missing = firstMissing(expected, stdout.trimEnd().split('\n'));
    assert.equal(
      missing,
      undefined,
      `lunet ${words} does not print as the README says: ${missing}\n${stdout}`,
    );
  }
});

it('a line that is not printed is noticed', () => {
  const printed = ['Config: x/default.yaml', 'a 0.5', 'unet 88,125', '', 'Next: lunet report'];
  assert.equal(firstMissing(['Config: default.yaml', '...', 'Next: lunet report'], printed), undefined);
  assert.equal(firstMissing(['...', 'Next: lunet run'], printed), 'Next: lunet run');
  assert.equal(firstMissing(['Config: default.yaml', 'unet 88,125', '...'], printed), 'unet 88,125');
  assert.equal(firstMissing(['...', 'unet 88,126', '...'], printed), 'unet 88,126');
  assert.equal(firstMissing(['...', 'unet 88,125'], printed), '');
});

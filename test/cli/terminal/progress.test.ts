// Progress: the line for a given terminal width, and the final screen of a real terminal.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { duration, wholeDuration } from '../../../src/cli/terminal/duration.js';
import { progressLine } from '../../../src/cli/terminal/progress-line.js';
import { displayWidth } from '../../../src/cli/terminal/table.js';
import { BIN, emptyFolder, plainEnvironment } from '../lunet.js';
import { TINY } from '../tiny.js';

const state = {
  label: 'random-in-block/75%-random seed 1 (1/9)',
  unit: 'epoch',
  done: 12,
  total: 30,
  secondsLeft: 1259.7,
  detail: 'loss 0.0871  Dice 0.9315',
};

describe('the line of progress', () => {
  it('has everything where there is room', () => {
    assert.equal(
      progressLine(state, 160),
      'random-in-block/75%-random seed 1 (1/9) ██████████░░░░░░░░░░░░░░  epoch 12/30  21 min 00 s left  loss 0.0871  Dice 0.9315',
    );
  });
  it('keeps loss and Dice at 80 and at 40 columns', () => {
    assert.equal(
      progressLine(state, 80),
      'random-in-block/75%-r…  epoch 12/30  21 min 00 s left  loss 0.0871  Dice 0.9315',
    );
    assert.equal(progressLine({ ...state, label: 'unet-n4' }, 40), '12/30  loss 0.0871  Dice 0.9315');
  });
  it('is never wider than the terminal, whatever the width, and shows the detail while it fits', () => {
    for (const label of [
      'unet-n4 seed 1 (1/9)',
      state.label,
      '海馬 '.repeat(12),
      '',
      'x'.repeat(500),
      'e\u0301'.repeat(90),
    ])
      for (const secondsLeft of [undefined, 0, 7, 59.7, 3599.6, 1e6])
        for (let columns = 1; columns <= 200; columns++) {
          const line = progressLine({ ...state, label, secondsLeft }, columns);
          assert.ok(displayWidth(line) < columns, `${columns}: ${line}`);
          if (columns > state.detail.length + 1)
            assert.ok(line.endsWith(state.detail), `${columns}: ${line}`);
        }
  });
  it('takes 80 columns where the width is not known', () => {
    for (const columns of [0, undefined]) assert.equal(progressLine(state, columns), progressLine(state, 80));
  });
  it('shows a share instead of a count where that is asked for', () => {
    assert.match(progressLine({ ...state, unit: '%', done: 399, total: 1000 }, 160), / 39 % /);
  });
  it('shows control characters of a label written out', () => {
    assert.match(progressLine({ ...state, label: 'a\x1b[2J\u202eb' }, 120), /^a\\x1b\[2J\\u202eb /);
  });
});

describe('times', () => {
  it('never have sixty seconds or minutes', () => {
    for (let seconds = 0; seconds < 8000; seconds += 0.05) {
      assert.doesNotMatch(duration(seconds), /\b60(\.0)? (s|min)/);
      assert.doesNotMatch(wholeDuration(seconds), /\b60 (s|min)/);
    }
    assert.deepEqual(
      [duration(59.96), wholeDuration(1259.9), wholeDuration(3599.9)],
      ['1 min 00 s', '21 min 00 s', '1 h 00 min'],
    );
  });
});

/** Runs a command on a terminal of this width and returns the rows on its screen. */
const TERMINAL = `
import fcntl, os, pty, struct, sys, termios
columns = int(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 50, columns, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
out = b''
while True:
    try: got = os.read(fd, 65536)
    except OSError: break
    if not got: break
    out += got
status = os.waitpid(pid, 0)[1]
sys.stdout.buffer.write(out)
sys.exit(os.waitstatus_to_exitcode(status))
`;

/** The final screen of a terminal; supports only the codes that lunet writes. */
function screen(written: string, columns: number): string[] {
  const rows = [''];
  let [row, column] = [0, 0];
  // eslint-disable-next-line no-control-regex
  for (const [token] of written.matchAll(/\x1b\[[\d;?]*[A-Za-z]|\x1b.|[^]/gu)) {
    if (token === '\r' || token === '\x1b[1G') column = 0;
    else if (token === '\n') row++;
    else if (token === '\x1b[K' || token === '\x1b[0K') rows[row] = (rows[row] ?? '').slice(0, column);
    else if (token === '\x1b[J') rows.splice(row, Infinity, (rows[row] ?? '').slice(0, column));
    else if (token === '\x1b[2K') rows[row] = '';
    // Colours, and whether long lines are wrapped: none is longer than the terminal.
    else if (token.endsWith('m') || token.startsWith('\x1b[?7')) continue;
    else {
      assert.ok(!token.startsWith('\x1b'), `an unexpected code ${JSON.stringify(token)}`);
      assert.ok(column < columns - 1 || !/[█░]/.test(rows[row] ?? ''), 'progress reached the last column');
      if (column === columns) [row, column] = [row + 1, 0];
      rows[row] =
        (rows[row] ?? '').padEnd(column).slice(0, column) + token + (rows[row] ?? '').slice(column + 1);
      column++;
    }
    rows[row] ??= '';
  }
  return rows.map((each) => each.trimEnd());
}

const python = spawnSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode']).status === 0;

describe('on a terminal', { skip: python ? false : 'needs python3 (3.9 or later)' }, () => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'lunet.yaml'), TINY);
  const onTerminal = (columns: number, ...args: string[]): string[] => {
    const env = plainEnvironment({ TERM: 'xterm', LUNET_CACHE: 'off', NO_COLOR: '' });
    const { status, stdout, stderr } = spawnSync(
      'python3',
      ['-c', TERMINAL, String(columns), process.execPath, BIN, ...args],
      { cwd, encoding: 'utf8', env },
    );
    assert.equal(status, 0, stdout + stderr);
    return screen(stdout, columns);
  };
  it('lunet train leaves a line a run with its last loss and Dice, at 40 columns too', () => {
    const rows = onTerminal(40, 'train', '--model', 'unet-n2');
    assert.equal(
      rows.filter((row) => /3\/3 .*loss \d\.\d+ {2}Dice \d\.\d+$/.test(row)).length,
      2,
      rows.join('\n'),
    );
  });
  it('lunet run leaves a line a run, none of them twice, and no bar', () => {
    const rows = onTerminal(100, 'run', '--jobs', '2');
    const runs = rows.filter((row) => /^\d+\/16 (train|prune|retrain)\//.test(row));
    assert.equal(runs.length, 14, rows.join('\n')); // two were done before
    assert.equal(new Set(runs).size, 14);
    assert.ok(!rows.some((row) => /[█░]/.test(row)), rows.join('\n'));
  });
});

// Full disks: each command writes to a separate small file system (tmpfs in its own namespace) that fills up at some point. The
// command must end with exit code 5 or complete, keep its files, and resume with the same bits once there is space. If
// namespaces are not allowed, a limit of the file size is used instead.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../../src/errors.js';
import { type RandomStream } from '../../src/random.js';
import { sha256 } from '../../src/sha256.js';
import { BIN, plainEnvironment } from '../cli/lunet.js';
import { COMMANDS, type Campaign, FOLDERS, type Outcome, discard, newFolder, wholeRuns } from './campaign.js';

export const disks: Campaign = (until, random) => {
  const namespaces = spawnSync('unshare', ['-rm', 'true']).status === 0;
  const outcome: Outcome = {
    what: namespaces
      ? 'full disks (tmpfs)'
      : 'full disks (limited file sizes; namespaces are not allowed here)',
    tried: 0,
    faults: [],
  };
  const expected = sha256(readFileSync(join(wholeRuns(), FOLDERS[1] as string, 'model.safetensors')));
  do fillUp(namespaces, random, expected, outcome);
  while (Date.now() < until);
  return Promise.resolve([outcome]);
};

/** Prunes on a disk that is too small, then with enough space; prints both exit codes and the digest of the weights. */
const ON_A_SMALL_DISK = `
mount -t tmpfs -o size="$KIB"k tmpfs runs || exit 99
"$@"; first=$?
ls -A runs/tiny/*/*/* 2>/dev/null | grep -q '^[.]tmp-' && first="$first with half a file left"
mount -o remount,size=200m runs || exit 99
"$@"; second=$?
echo "$first|$second|$(sha256sum <"$WEIGHTS" | cut -d' ' -f1)" >&3`;

const WITH_SMALL_FILES = `
(ulimit -f $((KIB / 8 + 1)); "$@"); first=$?
"$@"; second=$?
echo "$first|$second|$(sha256sum <"$WEIGHTS" | cut -d' ' -f1)" >&3`;

function fillUp(namespaces: boolean, random: RandomStream, expected: string, outcome: Outcome): void {
  const cwd = newFolder();
  mkdirSync(join(cwd, 'runs'));
  const kib = 16 + random.integer(500);
  const command = [process.execPath, BIN, ...(COMMANDS[1] as readonly string[])];
  const shell = ['sh', '-c', namespaces ? ON_A_SMALL_DISK : WITH_SMALL_FILES, 'sh', ...command];
  const [program, ...args] = namespaces ? ['unshare', '-rm', ...shell] : shell;
  const { output } = spawnSync(program as string, args, {
    cwd,
    env: plainEnvironment({
      KIB: String(kib),
      WEIGHTS: join(cwd, FOLDERS[1] as string, 'model.safetensors'),
    }),
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  const [, , stderr, said] = output as [null, null, string, string];
  const [first, second, weights] = said.trim().split('|');
  outcome.tried++;
  const wrong =
    first !== '0' && first !== String(EXIT.disk)
      ? `the command ends with ${first}, expected 0 or ${EXIT.disk}`
      : second !== '0'
        ? `it does not go on once there is room (exit code ${second})`
        : weights !== expected
          ? 'it ends with other bits'
          : /\n +at /.test(stderr ?? '')
            ? 'it prints a stack trace'
            : undefined;
  if (wrong !== undefined) outcome.faults.push(`a disk of ${kib} KiB: ${wrong}: ${(stderr ?? '').trim()}`);
  discard(cwd);
}

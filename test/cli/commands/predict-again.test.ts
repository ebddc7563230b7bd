// `lunet predict` where it is stopped: by Ctrl-C, kills and a full disk. The same command goes on and ends with the files of a
// command that was never stopped.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { before, describe, it } from 'node:test';
import { writeNifti } from '../../../src/data/nifti/write.js';
import { generatePhantom } from '../../../src/data/phantoms/index.js';
import { EXIT } from '../../../src/errors.js';
import { BIN, emptyFolder, lunet, plainEnvironment } from '../lunet.js';

const CASES = 16;
const cwd = emptyFolder();
const ids = Array.from({ length: CASES }, (_, i) => `case-${String(i).padStart(2, '0')}`);
const into = (folder: string, ...more: string[]): string[] => [
  ...['predict', 'hippocampus', '-i', 'scans', '-o', folder, '--probabilities', '--threads', '1', '--json'],
  ...more,
];

interface Report {
  readonly cases: readonly { readonly case: string; readonly status: string; readonly error?: string }[];
}

/** Ends the command that was stopped; returns how many cases it passed over. Every file is that of `whole`. */
function goOn(folder: string): number {
  const { status, stdout, stderr } = lunet(into(folder), { cwd });
  assert.equal(status, 0, stderr);
  const filesOf = (of: string): string[] =>
    (readdirSync(join(cwd, of), { recursive: true }) as string[]).sort();
  assert.deepEqual(filesOf(folder), filesOf('whole'));
  for (const file of filesOf('whole').filter((name) => statSync(join(cwd, 'whole', name)).isFile()))
    assert.deepEqual(readFileSync(join(cwd, folder, file)), readFileSync(join(cwd, 'whole', file)), file);
  return (JSON.parse(stdout) as Report).cases.filter((found) => found.status === 'skipped').length;
}

/** No case has a file that is not whole; whatever is there under its name is a result of `whole`. */
function assertWhole(folder: string): void {
  for (const name of readdirSync(join(cwd, folder)).filter((file) => file.endsWith('.nii.gz')))
    if (!name.startsWith('.tmp-'))
      assert.deepEqual(readFileSync(join(cwd, folder, name)), readFileSync(join(cwd, 'whole', name)), name);
}

before(async () => {
  mkdirSync(join(cwd, 'scans'));
  const { size, spacing, image } = generatePhantom({ kind: 'hippocampus', size: 32, seed: 1, index: 0 });
  await writeNifti(join(cwd, 'scan.nii.gz'), { size, spacing, voxels: Float32Array.from(image) });
  for (const id of ids) copyFileSync(join(cwd, 'scan.nii.gz'), join(cwd, 'scans', `${id}.nii.gz`));
  const { status, stderr } = lunet(into('whole'), { cwd });
  assert.equal(status, 0, stderr);
});

describe('lunet predict goes on', () => {
  it('after Ctrl-C, which ends it with 130 and leaves finished cases', async () => {
    const child = spawn(process.execPath, [BIN, ...into('stopped')], { cwd, env: plainEnvironment() });
    let stderr = '';
    child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
    const ended = new Promise((resolve) => child.on('close', resolve));
    while (!existsSync(join(cwd, 'stopped', `${ids[1]}.nii.gz`)) && child.exitCode === null) await sleep(1);
    child.kill('SIGINT');
    assert.equal(await ended, EXIT.interrupted, stderr);
    assert.match(stderr, /interrupted; the same command goes on with what is not done/);
    assert.doesNotMatch(stderr, /\n +at /);
    const left = readdirSync(join(cwd, 'stopped'));
    assert.deepEqual(
      left.filter((name) => name.startsWith('.tmp-')),
      [],
    );
    assertWhole('stopped');
    const skipped = goOn('stopped');
    assert.ok(skipped >= 2 && skipped < CASES, `${skipped} were done`);
  });

  // Each case commits three files: the record, labels, probabilities.
  for (const point of ['written:7', 'renamed:7', 'renamed:8', 'renamed:9'])
    it(`after a kill at ${point}`, () => {
      const folder = point.replace(':', '-');
      const killed = lunet(into(folder), { cwd, env: { LUNET_FAILPOINT: point } });
      assert.equal(killed.signal, 'SIGKILL', killed.stderr);
      assertWhole(folder);
      assert.equal(goOn(folder), point === 'renamed:9' ? 3 : 2);
    });

  it('after a disk was full: exit code 5, a line for each case, no half file', () => {
    const namespaces = spawnSync('unshare', ['-rm', 'true']).status === 0;
    const folder = 'small';
    mkdirSync(join(cwd, folder));
    const command = [process.execPath, BIN, ...into(folder)];
    // A file system of its own that is then copied away, or a limit for each file.
    const script = namespaces
      ? 'mount -t tmpfs -o size=64k tmpfs small || exit 99; "$@"; status=$?; cp -a small kept; exit $status'
      : 'ulimit -f 1; "$@"; status=$?; cp -a small kept; exit $status';
    const [program, ...args] = [
      ...(namespaces ? ['unshare', '-rm'] : []),
      'sh',
      '-c',
      script,
      'sh',
      ...command,
    ];
    const { status, stdout, stderr } = spawnSync(program as string, args, {
      cwd,
      encoding: 'utf8',
      env: plainEnvironment(),
    });
    assert.equal(status, EXIT.disk, stderr);
    const { cases } = JSON.parse(stdout) as Report;
    const failed = cases.filter((found) => found.status === 'failed');
    assert.ok(failed.length > 0);
    for (const { error } of failed)
      assert.match(error ?? '', /could not be written: (the disk is full|the file is larger)/);
    assert.match(stderr, new RegExp(`^${failed.length} of ${CASES} cases failed:\\n {2}case-`, 'm'));
    assert.doesNotMatch(stderr, /\n +at /);
    assertWhole('kept');
    assert.deepEqual(
      readdirSync(join(cwd, 'kept')).filter((name) => name.startsWith('.tmp-')),
      [],
    );
    assert.equal(goOn('kept'), CASES - failed.length);
  });
});

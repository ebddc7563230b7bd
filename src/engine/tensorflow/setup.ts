// Sets TensorFlow up for Node.js: a separate Python environment with the TensorFlow wheel, the sources of
// @tensorflow/tfjs-node-gpu, and its binding compiled against the library of the wheel. (The install script of the package
// needs a TensorFlow that can no longer be downloaded, so it is never run.) Each finished step writes a stamp and is skipped
// next time; an interrupted step is repeated.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../errors.js';
import { commitFile, makeFolder } from '../../runs/commit.js';
import { COMPILER_CURE, compilerCandidates, findCompiler } from '../compiler.js';
import {
  type TensorFlowKind,
  TENSORFLOW_VERSION,
  TFJS_VERSION,
  withdrawInstallation,
  writeInstallation,
} from './installation.js';

export interface SetupOptions {
  readonly folder: string;
  readonly kind: TensorFlowKind;
  /** A folder with TensorFlow's `include` and libraries, instead of the wheel. */
  readonly own?: string | undefined;
  /** Called when a step begins, and with its last line of output while it runs. */
  readonly step: (what: string) => void;
  readonly detail: (line: string) => void;
  readonly signal: AbortSignal;
}

const sources = fileURLToPath(new URL('../../../../src/engine/tensorflow', import.meta.url));

/** Does all steps and records the result. Throws a UserError of kind `engine` that states what is missing. */
export async function setUp(options: SetupOptions): Promise<{ tensorflow: string; device: string }> {
  const { folder, kind, own, step } = options;
  if (process.platform === 'win32')
    throw new UserError('engine', 'the TensorFlow engine needs Linux or macOS; on Windows use WSL');
  makeFolder(folder);
  withdrawInstallation(folder);
  const library = own === undefined ? await installWheel(options) : ownLibrary(resolve(own));
  await stamped(options, 'packages', `tfjs-node-gpu ${TFJS_VERSION}`, () => {
    step(`Installing the sources of @tensorflow/tfjs-node-gpu ${TFJS_VERSION}`);
    return installPackages(options);
  });
  const flags = `${library.include} ${library.files.join(' ')} ${compiler()}`;
  await stamped(options, 'binding', flags, () => {
    step('Compiling the binding');
    return compileBinding(options, library);
  });
  step('Self-check');
  const checked = await selfCheckInChild(options);
  writeInstallation(folder, {
    version: 1,
    kind,
    ...checked,
    ...paths(folder),
    date: new Date().toISOString(),
  });
  return checked;
}

/** The paths of the compiled files of a set-up. */
export function paths(folder: string): { quiet: string; binding: string; packages: string } {
  return {
    quiet: join(folder, 'binding/quiet.node'),
    binding: join(folder, 'binding/tfjs_binding.node'),
    packages: folder,
  };
}

/** Does a step unless its stamp shows that it was done for the same `what`. */
async function stamped(
  { folder }: SetupOptions,
  name: string,
  what: string,
  work: () => Promise<void>,
): Promise<void> {
  const stamp = join(folder, `${name}.done`);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === what) return;
  rmSync(stamp, { force: true });
  await work();
  commitFile(stamp, what);
}

interface Library {
  readonly include: string;
  readonly folder: string;
  readonly files: readonly string[];
}

async function installWheel(options: SetupOptions): Promise<Library> {
  const { folder, kind, step } = options;
  const python = findPython();
  const wheel =
    kind === 'cuda' && process.platform === 'linux'
      ? `tensorflow[and-cuda]==${TENSORFLOW_VERSION}`
      : process.platform === 'linux' && process.arch === 'x64'
        ? `tensorflow-cpu==${TENSORFLOW_VERSION}`
        : `tensorflow==${TENSORFLOW_VERSION}`;
  const environment = join(folder, 'venv');
  await stamped(options, 'wheel', `${wheel} ${python}`, async () => {
    step(`Installing ${wheel} with ${python} into ${environment}`);
    rmSync(environment, { recursive: true, force: true });
    await execute(options, python, ['-m', 'venv', environment], venvCure);
    await execute(
      options,
      join(environment, 'bin/python'),
      ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--progress-bar', 'off', wheel],
      (text) =>
        /No matching distribution|not find a version/i.test(text)
          ? `pip finds no ${wheel} for this Python; TensorFlow ${TENSORFLOW_VERSION} is made for Python 3.10 to 3.13: ` +
            'give another with LUNET_PYTHON=/path/to/python3'
          : 'pip could not install it; is the package index reachable?',
    );
  });
  const lib = join(environment, 'lib');
  const site = readdirSync(lib).find((name) => name.startsWith('python'));
  return ownLibrary(join(lib, site ?? '', 'site-packages/tensorflow'));
}

/** The libraries in the folder of a wheel or of an unpacked libtensorflow. */
function ownLibrary(root: string): Library {
  const include = join(root, 'include');
  if (!existsSync(join(include, 'tensorflow/c/c_api.h')))
    throw new UserError('engine', `${include}: has no tensorflow/c/c_api.h; expected TensorFlow's headers`);
  for (const folder of [root, join(root, 'lib')]) {
    if (!existsSync(folder)) continue;
    const names = readdirSync(folder);
    const main = names.find((name) => /^libtensorflow(?:_cc)?\.(?:so\.2|2\.dylib)$/.test(name));
    const framework = names.find((name) => /^libtensorflow_framework\.(?:so\.2|2\.dylib)$/.test(name));
    if (main && framework) return { include, folder, files: [main, framework] };
  }
  throw new UserError('engine', `${root}: has no libtensorflow(_cc).so.2 with libtensorflow_framework.so.2`);
}

function findPython(): string {
  const wanted = process.env['LUNET_PYTHON'];
  const candidates = wanted ? [wanted] : ['python3', 'python'];
  for (const name of candidates) {
    const { status, stdout } = spawnSync(name, ['-c', 'import sys; print(sys.version_info >= (3, 9))'], {
      encoding: 'utf8',
    });
    if (status === 0 && stdout.trim() === 'True') return name;
  }
  throw new UserError(
    'engine',
    `${wanted ? `LUNET_PYTHON=${wanted} does not run` : 'Python 3 was not found'}; TensorFlow comes as a Python package: ` +
      'install Python 3.10 or later with pip (Debian, Ubuntu: apt install python3-venv), or name it with LUNET_PYTHON',
  );
}

function venvCure(text: string): string {
  return /ensurepip|venv/.test(text)
    ? 'this Python cannot make virtual environments: Debian, Ubuntu: apt install python3-venv'
    : 'the virtual environment could not be made';
}

async function installPackages(options: SetupOptions): Promise<void> {
  const { folder } = options;
  // The npm that started lunet (npm or npx), else the one in PATH.
  const script = process.env['npm_execpath'];
  const words = [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    '--loglevel=error',
    `--prefix=${folder}`,
    `@tensorflow/tfjs-node-gpu@${TFJS_VERSION}`,
  ];
  commitFile(join(folder, 'package.json'), '{ "private": true }\n');
  const cure = (): string => 'npm could not fetch the package; is the package registry reachable?';
  if (script?.endsWith('.js')) await execute(options, process.execPath, [script, ...words], cure);
  else await execute(options, 'npm', words, cure);
}

function compiler(): string {
  const found = findCompiler();
  if (found) return found.name;
  throw new UserError(
    'engine',
    `no C++ compiler (${compilerCandidates().join(', ')}) runs; ${COMPILER_CURE}`,
  );
}

async function compileBinding(options: SetupOptions, library: Library): Promise<void> {
  const { binding, quiet } = paths(options.folder);
  makeFolder(dirname(binding));
  const headers = (createRequire(import.meta.url)('node-api-headers') as { include_dir: string }).include_dir;
  const origin = join(options.folder, 'node_modules/@tensorflow/tfjs-node-gpu');
  const common = ['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8', `-I${headers}`];
  const cure = (): string => 'the compiler could not build the binding';
  if (process.platform === 'darwin') common.push('-undefined', 'dynamic_lookup');
  await execute(options, compiler(), [...common, join(sources, 'quiet.cpp'), '-ldl', '-o', quiet], cure);
  // An unpacked libtensorflow has no Abseil headers; it does not use Abseil logging either.
  const logging = existsSync(join(library.include, 'absl/log/globals.h')) ? ['logging.cpp'] : [];
  await execute(
    options,
    compiler(),
    [
      ...common,
      `-I${library.include}`,
      `-I${origin}`,
      join(origin, 'binding/tfjs_backend.cc'),
      join(origin, 'binding/tfjs_binding.cc'),
      ...logging.map((name) => join(sources, name)),
      ...library.files.map((name) => join(library.folder, name)),
      `-Wl,-rpath,${library.folder}`,
      '-o',
      binding,
    ],
    cure,
  );
}

/** Runs the check in a separate process, so that a crash of the library does not end this one. */
async function selfCheckInChild(options: SetupOptions): Promise<{ tensorflow: string; device: string }> {
  const script = fileURLToPath(new URL('./check.js', import.meta.url));
  const text = await execute(options, process.execPath, [script, options.folder], (output) =>
    output.includes('cannot open shared object')
      ? 'a library that TensorFlow needs is missing'
      : 'TensorFlow was built, but does not compute',
  );
  return JSON.parse(text.trim().split('\n').at(-1) as string) as { tensorflow: string; device: string };
}

/** Runs a command and resolves to its output. `cure` turns the output of a failed command into advice. */
function execute(
  { folder, detail, signal }: SetupOptions,
  command: string,
  words: readonly string[],
  cure: (text: string) => string,
): Promise<string> {
  return new Promise((done, fail) => {
    signal.throwIfAborted();
    // The self-check takes TensorFlow.js from this set-up, which nothing refers to before it is complete.
    const env = { ...process.env, LUNET_TENSORFLOW: folder };
    const child = spawn(command, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    const listen = (chunk: unknown): void => {
      text += String(chunk);
      const line = String(chunk).trim().split('\n').at(-1) ?? '';
      if (line !== '') detail(line);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    const stop = (): void => void child.kill('SIGTERM');
    signal.addEventListener('abort', stop);
    const end = (error?: Error): void => {
      signal.removeEventListener('abort', stop);
      if (signal.aborted) fail(signal.reason as Error);
      else if (error) fail(error);
      else done(text);
    };
    child.on('error', (error) => end(new UserError('engine', `${command}: ${error.message}`)));
    child.on('close', (code, killer) => {
      if (code === 0) return end();
      const last = text.trim().split('\n').slice(-12).join('\n');
      return end(
        new UserError(
          'engine',
          `${cure(text)}\n${command} ${words.slice(0, 3).join(' ')} ... ended with ${killer ?? `exit code ${code}`}:\n${last}`,
        ),
      );
    });
  });
}

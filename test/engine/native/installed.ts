// An installed package without npm: copies of its folders, which tests may change, and fake compilers.

import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAddon } from '../../../src/engine/native/loader.js';
import { emptyFolder, plainEnvironment } from '../../cli/lunet.js';
import { TINY } from '../../cli/tiny.js';

const checkout = fileURLToPath(new URL('../../../..', import.meta.url));

/** A package, a cache folder and a working folder with tiny.yaml. */
export interface Installed {
  readonly package: string;
  readonly cache: string;
  readonly cwd: string;
}

export function install(): Installed {
  const base = emptyFolder();
  const folder = join(base, 'package');
  for (const name of [
    'package.json',
    'bin',
    'configs',
    'dist/native-sources.txt',
    'dist/src',
    'scripts',
    'src/engine/native',
  ])
    cpSync(join(checkout, name), join(folder, name), { recursive: true });
  symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'));
  const cwd = join(base, 'cwd');
  mkdirSync(cwd);
  writeFileSync(join(cwd, 'tiny.yaml'), TINY);
  return { package: folder, cache: join(base, 'cache'), cwd };
}

/** Folders of builds below a package or a cache. */
export function buildsIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** A compiler for CXX, and how often it was called to compile. */
export interface FakeCompiler {
  readonly path: string;
  readonly calls: () => number;
}

/**
 * A fake compiler that reports this version. Its linker copies the engine of the checkout; before it compiles a file, it
 * runs the shell command `first`.
 */
export function fakeCompiler(version: string, first = ''): FakeCompiler {
  const engine = loadAddon();
  if (!engine.addon) throw new Error(`no engine to copy: ${engine.attempts.join()}`);
  const folder = emptyFolder();
  const [path, log] = [join(folder, 'c++'), join(folder, 'log')];
  writeFileSync(log, '');
  const script = `#!/bin/sh
if [ "$1" = --version ]; then echo "${version}"; exit; fi
for output; do :; done
case " $* " in
  *' -shared '*) cp '${engine.path}' "$output" ;;
  *) echo call >>'${log}'; ${first}
     : >"$output" ;;
esac
`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return { path, calls: () => readFileSync(log, 'utf8').split('\n').length - 1 };
}

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `lunet ARGS` from a package, without a compiler unless `env` has one; `killed` may end it. */
export function start(
  { package: folder, cache, cwd }: Installed,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): { ended: Promise<Ended>; kill: (signal: NodeJS.Signals) => void } {
  const bare = emptyFolder();
  symlinkSync(process.execPath, join(bare, 'node'));
  const child = spawn(process.execPath, [join(folder, 'bin/lunet.js'), ...args], {
    cwd,
    env: { ...withoutNpm(), PATH: bare, CXX: undefined, LUNET_CACHE: cache, ...env },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return {
    ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr }))),
    kill: (signal) => child.kill(signal),
  };
}

/** The environment of a shell that npm did not start. */
export function withoutNpm(): NodeJS.ProcessEnv {
  const own = Object.entries(plainEnvironment()).filter(([name]) => !name.startsWith('npm_'));
  const path = (process.env['PATH'] ?? '').split(':').filter((each) => !each.includes('node_modules'));
  return {
    ...Object.fromEntries(own),
    PATH: path.join(':'),
    npm_config_cache: process.env['npm_config_cache'],
  };
}

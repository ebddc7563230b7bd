// Compiles the native engine into a folder. provide.ts decides when, and into which folder.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { commitFile, makeFolder } from '../../runs/commit.js';
import { type Compiler } from '../compiler.js';
import { type CompileFailure, commitBuild } from './builds.js';
import { compileFlags, linkFlags, sourceFiles, sourceFolder, type Target } from './sources.js';

export interface CompileOptions {
  /** Sanitizers of the compiler to build with, such as `address,undefined`. */
  readonly sanitize?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The target, and further flags of the linker; default: this machine, on which the engine is then tried. */
  readonly target?: (Target & { readonly link?: readonly string[] }) | undefined;
}

/**
 * Compiles the sources, checks that the engine loads, and writes it into `folder` atomically. Resolves to the failure, or to
 * undefined. If `signal` aborts, rejects with its reason and leaves no files. The caller must ensure that no other process
 * compiles into the folder.
 */
export async function compileNative(
  folder: string,
  compiler: Compiler,
  options: CompileOptions = {},
): Promise<CompileFailure | undefined> {
  const { sanitize, signal, target } = options;
  const system: Target = target ?? process;
  const objects = join(folder, OBJECTS);
  // Removes objects of a killed process.
  rmSync(objects, { recursive: true, force: true });
  makeFolder(objects);
  const sanitizing = sanitize
    ? [`-fsanitize=${sanitize}`, '-fno-sanitize-recover', '-fno-omit-frame-pointer', '-g', '-O1']
    : [];
  const objectOf = (source: string): string => join(objects, `${source.replaceAll(/[\\/]/g, '-')}.o`);
  const run = (program: string, args: readonly string[]): Promise<Ended> =>
    execute(program, args, objects, signal);
  const compile = (args: readonly string[]): Promise<Ended> =>
    run(compiler.name, [...(compiler.args ?? []), ...args]);
  try {
    const files = sourceFiles(system);
    const failure =
      (await compileAll(files, (file) =>
        compile([
          ...compileFlags(file, system),
          ...sanitizing,
          `-I${headers()}`,
          '-c',
          join(sourceFolder, file),
          '-o',
          objectOf(file),
        ]),
      )) ??
      (await step(`${compiler.name} could not link the engine`, () =>
        compile([
          ...linkFlags(system),
          ...sanitizing.slice(0, 1),
          ...files.map(objectOf),
          '-o',
          join(objects, 'lunet.node'),
          ...(target?.link ?? []),
        ]),
      )) ??
      // A sanitizer build loads only if the library of the sanitizer is loaded first.
      (sanitize || target
        ? undefined
        : await step(`the engine that ${compiler.name} made does not load`, () =>
            run(process.execPath, ['-e', TRIAL, join(objects, 'lunet.node')]),
          ));
    signal?.throwIfAborted();
    if (failure) return failure;
    const engine = readFileSync(join(objects, 'lunet.node'));
    if (sanitize) commitFile(join(folder, 'lunet.node'), engine);
    else commitBuild(folder, engine, compiler);
    return undefined;
  } finally {
    rmSync(objects, { recursive: true, force: true });
  }
}

const OBJECTS = 'objects';

/** Run in a separate process, because a bad engine may crash it. */
const TRIAL = 'require(process.argv[1]).instructionSets()';

interface Ended {
  readonly ok: boolean;
  readonly text: string;
}

/** The folder of the C headers of Node.js. */
function headers(): string {
  const { include_dir: folder } = createRequire(import.meta.url)('node-api-headers') as {
    include_dir: string;
  };
  return folder;
}

/** Compiles files, as many at a time as there are processors, until one fails. */
async function compileAll(
  files: readonly string[],
  compile: (file: string) => Promise<Ended>,
): Promise<CompileFailure | undefined> {
  const queue = [...files];
  let failure: CompileFailure | undefined;
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined && !failure; file = queue.shift()) {
      const name = file;
      failure ??= await step(`${name} could not be compiled`, () => compile(name));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return failure;
}

async function step(problem: string, work: () => Promise<Ended>): Promise<CompileFailure | undefined> {
  const { ok, text } = await work();
  if (ok) return undefined;
  const lines = text.split('\n').map((line) => line.trim());
  const first = lines.find((line) => /\berror\b/i.test(line)) ?? lines.find((line) => line !== '') ?? '';
  return { problem: `${problem}: ${first.slice(0, 300)}`, log: `${problem}:\n${text.trimEnd()}` };
}

/** Runs a program to its end, with its temporary files in a folder. */
function execute(
  program: string,
  args: readonly string[],
  temporary: string,
  signal: AbortSignal | undefined,
): Promise<Ended> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve({ ok: false, text: 'interrupted' });
    const child = spawn(program, args, {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stop = (): void => void child.kill();
    signal?.addEventListener('abort', stop);
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('error', (error) => (text += error.message));
    child.on('close', (code, killer) => {
      signal?.removeEventListener('abort', stop);
      resolve({ ok: code === 0, text: killer === null ? text : `${text}\nkilled by ${killer}` });
    });
  });
}

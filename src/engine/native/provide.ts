// Provides the native engine and builds it if necessary: at first use after an installation, by `npm run compile` in a
// checkout, by `lunet setup native`. If several processes need it, one builds and the others wait.

import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../errors.js';
import { fsReason } from '../../fs-reason.js';
import { lunetCommand } from '../../invocation.js';
import { makeFolder } from '../../runs/commit.js';
import { lockRun } from '../../runs/lock/lock.js';
import { COMPILER_CURE, type Compiler, compilerCandidates, findCompiler } from '../compiler.js';
import { type Addon } from './addon.js';
import {
  buildFolders,
  type CompileFailure,
  commitFailure,
  loadBuild,
  loadPrebuild,
  readFailure,
  readRecord,
  removeEarlierBuilds,
  removeStalePrebuilds,
} from './builds.js';
import { compileNative } from './compile.js';
import { loadAddon, loadBuilt, loadKept } from './loader.js';
import { recordSources } from './sources.js';

export interface ProvideOptions {
  /** Called when a build begins and ends, and when this process waits for another. */
  readonly say?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The addon; or why there is none and what to do, each in one line. */
export type Provided = { readonly addon: Addon; readonly path: string } | Missing;

export interface Missing {
  readonly addon?: undefined;
  readonly problem: string;
  readonly cure: string;
  /** Every place that was tried. */
  readonly attempts: readonly string[];
  /** All messages of the compiler. */
  readonly log?: string;
}

const LONGEST_BUILD_MS = 10 * 60_000;

/**
 * The addon from `loadAddon`, else built now. A build that failed before with this compiler is not tried again. Rejects with
 * the reason of `signal` when it aborts.
 */
export async function provideAddon(options: ProvideOptions = {}): Promise<Provided> {
  const loaded = loadAddon();
  if (loaded.addon) return loaded;
  if (process.env['LUNET_NATIVE'])
    return {
      problem: loaded.attempts.join('; '),
      cure: 'unset LUNET_NATIVE, or set it to a lunet.node for this machine',
      attempts: loaded.attempts,
    };
  return build(options, false);
}

/** Like `provideAddon`, but throws a UserError of kind `engine` if there is no addon. */
export async function requireAddon(options: ProvideOptions = {}): Promise<Addon> {
  const provided = await provideAddon(options);
  if (provided.addon) return provided.addon;
  throw new UserError('engine', `there is no native engine: ${provided.problem}; ${provided.cure}`);
}

/**
 * Builds the engine unless the package contains it or there is a build by the current compiler; tries again after an earlier
 * failure. `force` builds it in any case. Ignores LUNET_NATIVE.
 */
export async function setUpNative(
  options: ProvideOptions & { readonly force?: boolean | undefined } = {},
): Promise<Provided & { readonly built: boolean }> {
  recordSources();
  // npm would pack stale engines, but lunet would never load them.
  for (const name of removeStalePrebuilds())
    options.say?.(`Removed prebuilds/${name}, which was made of other sources.`);
  const compiler = findCompiler();
  if (!options.force) {
    const loaded = loadBuilt();
    if (loaded.addon) {
      const madeBy = readRecord(dirname(loaded.path))?.compiler;
      if (compiler === undefined || madeBy === compiler.version) return { ...loaded, built: false };
    } else {
      const prebuilt = loadPrebuild();
      if (prebuilt.addon) return { ...prebuilt, built: false };
    }
  }
  const provided = await build(options, true);
  return { ...provided, built: provided.addon !== undefined };
}

/** Builds in the first folder in which this is possible. */
async function build(options: ProvideOptions, anew: boolean): Promise<Provided> {
  const setUp = `${lunetCommand()} setup native`;
  const compiler = findCompiler();
  if (compiler === undefined) {
    const given = process.env['CXX'];
    return given
      ? missing(`CXX=${given} does not run`, `set it to a C++17 compiler or unset it, then: ${setUp}`)
      : missing(
          `no C++ compiler (${compilerCandidates().join(', ')}) was found`,
          `install one (${COMPILER_CURE}), then: ${setUp}`,
        );
  }
  const refused: string[] = [];
  for (const folder of buildFolders()) {
    const failure = await buildIn(folder, compiler, options, anew);
    if (failure === undefined) {
      const loaded = loadBuild(folder);
      return loaded.addon ? loaded : missing(`${folder}: ${loaded.problem}`, `${setUp} --force`);
    }
    if (!isOfPlace(failure))
      return { ...missing(failure.problem, `for all of the messages: ${setUp}`), log: failure.log };
    refused.push(`${folder}: ${failure.problem}`);
  }
  return missing(refused.join('; '), 'set LUNET_CACHE to a folder that it can be written to and loaded from');
}

function missing(problem: string, cure: string): Missing {
  const { attempts = [] } = loadKept() as { attempts?: readonly string[] };
  return { problem, cure, attempts };
}

/** Builds in one folder, unless another process has done so or it failed before. Resolves to the failure, if any. */
async function buildIn(
  folder: string,
  compiler: Compiler,
  { say, signal }: ProvideOptions,
  anew: boolean,
): Promise<CompileFailure | undefined> {
  const known = (): CompileFailure | undefined => {
    const failure = anew ? undefined : readFailure(folder);
    return failure?.compiler === compiler.version ? failure : undefined;
  };
  const before = known();
  if (before !== undefined) return before;
  try {
    makeFolder(folder);
    const unlock = await lockFolder(folder, { say, signal });
    try {
      const meanwhile = known();
      if (meanwhile !== undefined) return meanwhile;
      if (!anew && loadBuild(folder).addon) return undefined;
      say?.('Building the native engine (once, about 40 s) ...');
      const began = performance.now();
      const failure = await compileNative(folder, compiler, { signal });
      if (failure === undefined) {
        say?.(`Built ${folder} in ${((performance.now() - began) / 1000).toFixed(0)} s.`);
        removeEarlierBuilds(folder);
      } else commitFailure(folder, failure, compiler);
      return failure;
    } finally {
      unlock();
    }
  } catch (error) {
    const cause = error instanceof UserError ? error.cause : error;
    if ((cause as NodeJS.ErrnoException | undefined)?.syscall === undefined) throw error;
    return { problem: `cannot be written (${fsReason(cause)})`, log: '' };
  }
}

/** Whether another folder may work: this one is read-only, full, or does not allow execution. */
function isOfPlace({ problem, log }: CompileFailure): boolean {
  return /^cannot be written|failed to map segment/.test(problem) || /No space left|Disk quota/i.test(log);
}

/** Takes the lock of a folder; waits for the lock holder. */
async function lockFolder(folder: string, { say, signal }: ProvideOptions): Promise<() => void> {
  const began = performance.now();
  for (let first = true; ; first = false) {
    try {
      return await lockRun(folder, { signal, warn: (message) => say?.(message) });
    } catch (error) {
      if (!(error instanceof UserError) || error.kind !== 'failed') throw error;
      if (performance.now() - began > LONGEST_BUILD_MS) throw error;
    }
    if (first) say?.('Another process is building the native engine; waiting for it ...');
    await sleep(200);
    signal?.throwIfAborted();
  }
}

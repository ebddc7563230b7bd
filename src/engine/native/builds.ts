// Builds of the native engine on disk. The name of the folder of a build contains the system, the processor family, the C
// library and a digest of sources and flags. So another version of lunet, or another machine with the same home folder, does
// not use it by mistake. A build is used only if the record next to it has its digest. The folders of engines in the package
// (scripts/prebuild.js) have only the system in their name; such an engine is used only if it was made of these sources.

import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { cacheFolder } from '../../cache-folder.js';
import { commitFile } from '../../runs/commit.js';
import { sha256 } from '../../sha256.js';
import { type Compiler } from '../compiler.js';
import { type Addon } from './addon.js';
import { packageFolder, sourcesDigest } from './sources.js';

const ENGINE = 'lunet.node';
const RECORD = 'build.json';
const FAILURE = 'failed.json';

/** The record of a build. */
export interface BuildRecord {
  readonly compiler: string;
  /** The digest of sources and flags, see `sourcesDigest`. */
  readonly sources: string;
  /** SHA-256 of the engine. */
  readonly sha256: string;
}

/** Why compiling failed. */
export interface CompileFailure {
  /** The reason in one line. */
  readonly problem: string;
  /** All messages of the compiler. */
  readonly log: string;
}

/** The record of a failed build, kept until the compiler changes. */
export interface FailureRecord extends CompileFailure {
  readonly compiler: string;
}

/** The possible folders of a build for this machine, in the order of search: that of lunet, then the cache. */
export function buildFolders(): string[] {
  const name = `${machine()}-${sourcesDigest()}`;
  const cache = cacheFolder();
  return [
    join(packageFolder, 'build', name),
    ...(cache === undefined ? [] : [join(resolve(cache), 'native', name)]),
  ];
}

/** The folder of the engine in the package for this machine, such as prebuilds/linux-x64-musl; it may not exist. */
export function prebuildFolder(): string {
  const musl = process.platform === 'linux' && glibcVersion() === undefined ? '-musl' : '';
  return join(prebuildsFolder, `${process.platform}-${process.arch}${musl}`);
}

export const prebuildsFolder = join(packageFolder, 'prebuilds');

/** System, processor family and C library, such as linux-x64-glibc2.36. Node-API is the same in all versions of Node.js. */
function machine(): string {
  const glibc = glibcVersion();
  const library = process.platform !== 'linux' ? '' : glibc === undefined ? '-musl' : `-glibc${glibc}`;
  return `${process.platform}-${process.arch}${library}`;
}

/** The version of the GNU C library; undefined with another library. */
function glibcVersion(): string | undefined {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime;
}

type Loaded = { addon: Addon; path: string } | { addon?: undefined; problem: string };

/** The engine in the package for this machine, or a short reason why there is none. */
export function loadPrebuild(): Loaded {
  const folder = prebuildFolder();
  if (!existsSync(join(folder, ENGINE))) return { problem: 'the package has none for this machine' };
  const made = readRecord(folder)?.sources;
  return made === sourcesDigest() ? loadBuild(folder) : { problem: 'made of other sources' };
}

/** The engine in a folder, or a short reason why there is none. */
export function loadBuild(folder: string): Loaded {
  const path = join(folder, ENGINE);
  if (!existsSync(path)) {
    const failure = readFailure(folder);
    return { problem: failure === undefined ? 'not built' : `not built: ${failure.problem}` };
  }
  try {
    // Loading a damaged engine may crash the process, or the engine may give wrong results.
    if (!isWhole(folder)) return { problem: 'damaged' };
    return { addon: loadFile(path), path };
  } catch (error) {
    return { problem: oneLine(error) };
  }
}

/** Whether the engine in a folder has the digest of its record. */
function isWhole(folder: string): boolean {
  const path = join(folder, ENGINE);
  return existsSync(path) && readRecord(folder)?.sha256 === sha256(readFileSync(path));
}

/** Loads an addon by its path. Throws the error of Node.js. */
export function loadFile(path: string): Addon {
  return createRequire(import.meta.url)(path) as Addon;
}

/** The first line of an error. */
export function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] as string;
}

/** The record of the build in a folder. */
export function readRecord(folder: string): BuildRecord | undefined {
  return readJson<BuildRecord>(join(folder, RECORD));
}

/** Writes an engine into its folder, atomically. */
export function commitBuild(folder: string, engine: Uint8Array, { version }: Compiler): void {
  const record: BuildRecord = { compiler: version, sources: sourcesDigest(), sha256: sha256(engine) };
  commitFile(join(folder, RECORD), JSON.stringify(record));
  commitFile(join(folder, ENGINE), engine);
  rmSync(join(folder, FAILURE), { force: true });
}

/** Records a failed build. */
export function commitFailure(folder: string, failure: CompileFailure, { version }: Compiler): void {
  commitFile(
    join(folder, FAILURE),
    JSON.stringify({ compiler: version, ...failure } satisfies FailureRecord),
  );
}

/** The last build in a folder, if it failed. */
export function readFailure(folder: string): FailureRecord | undefined {
  return readJson<FailureRecord>(join(folder, FAILURE));
}

/** Removes builds of earlier sources for this machine, but only in the folder of lunet, where nothing else uses them. */
export function removeEarlierBuilds(folder: string): void {
  const parent = dirname(folder);
  if (parent !== join(packageFolder, 'build')) return;
  const [, prefix] = /^(.*-)[0-9a-f]{16}$/.exec(basename(folder)) ?? [];
  for (const name of readdirSync(parent))
    if (
      prefix !== undefined &&
      name !== basename(folder) &&
      /^[0-9a-f]{16}$/.test(name.slice(prefix.length)) &&
      name.startsWith(prefix)
    )
      rmSync(join(parent, name), { recursive: true, force: true });
}

/** Removes engines in the package that were made of other sources; returns their names. */
export function removeStalePrebuilds(): string[] {
  const names = existsSync(prebuildsFolder) ? readdirSync(prebuildsFolder) : [];
  const stale = names.filter((name) => readRecord(join(prebuildsFolder, name))?.sources !== sourcesDigest());
  for (const name of stale) rmSync(join(prebuildsFolder, name), { recursive: true, force: true });
  return stale;
}

/** The content of a JSON file; undefined if it is absent or damaged. */
function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

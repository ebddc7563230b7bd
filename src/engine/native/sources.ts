// The C++ sources of the native engine, the compiler flags, and a digest of both.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout or the installed package: this file runs from its dist/src/engine/native. */
export const packageFolder = join(dirname(fileURLToPath(import.meta.url)), '../../../..');

export const sourceFolder = join(packageFolder, 'src/engine/native');

/** The build writes this file, so that lunet need not read all sources at start. */
const DIGEST_FILE = join(packageFolder, 'dist/native-sources.txt');

/** The target of a build, with the names of Node.js; `process` is this machine. */
export type Target = Pick<typeof process, 'platform' | 'arch'>;

const FLAGS = ['-std=c++17', '-O3', '-fno-math-errno', '-fvisibility=hidden', '-Wall', '-Wextra'];
/** Flags for all systems except Windows, where they have no meaning. */
const UNIX_FLAGS = ['-fPIC', '-pthread'];

/** The flags of the linker. */
export function linkFlags({ platform }: Target): string[] {
  return [
    '-O3',
    '-shared',
    ...(platform === 'win32' ? [] : UNIX_FLAGS),
    ...(platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : []),
  ];
}

/**
 * Flags of the files named isa_*. Only these files may use instructions beyond the baseline of the platform. They do not use
 * the standard library, so no function compiled for them can be linked into code that must run everywhere.
 */
const INSTRUCTION_SETS: Readonly<Record<string, readonly string[]>> = {
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

/**
 * Flags of the files of augmentation: no operations are fused, so that every instruction set gives the same bits, and both sides of
 * a choice may be computed, without which some loops would not become vectors.
 */
const EXACT = ['-ffp-contract=off', '-fno-trapping-math'];

/** The compiler flags for a file. */
export function compileFlags(file: string, { platform, arch }: Target): string[] {
  return [
    ...FLAGS,
    ...(platform === 'win32' ? [] : UNIX_FLAGS),
    `-I${sourceFolder}`,
    ...(INSTRUCTION_SETS[basename(file)] ?? []),
    ...(basename(dirname(file)) === 'augmentation' ? EXACT : []),
    ...(arch === 'x64' ? ['-DLUNET_X86'] : []),
  ];
}

/** All C++ sources and headers except those only for WebAssembly, as paths relative to `sourceFolder`, in a fixed order. */
function listSources(): string[] {
  return readdirSync(sourceFolder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(cpp|h)$/.test(file) && !file.startsWith('wasm'))
    .sort();
}

/** The files to compile, as paths relative to `sourceFolder`; those that take longest come first. */
export function sourceFiles({ arch }: Target): string[] {
  const hasKernels = (file: string): number => Number(basename(file).startsWith('isa_'));
  return listSources()
    .filter((file) => file.endsWith('.cpp'))
    .filter((file) => arch === 'x64' || INSTRUCTION_SETS[basename(file)] === undefined)
    .sort((a, b) => hasKernels(b) - hasKernels(a));
}

/** 16 hexadecimal digits that identify the sources and flags at the time lunet was built. */
export function sourcesDigest(): string {
  try {
    return readFileSync(DIGEST_FILE, 'utf8').trim();
  } catch {
    return computeDigest();
  }
}

/** Writes the digest of the current sources, for `sourcesDigest`. */
export function recordSources(): void {
  const digest = computeDigest();
  try {
    if (readFileSync(DIGEST_FILE, 'utf8') === `${digest}\n`) return;
  } catch {
    // The file does not exist yet.
  }
  writeFileSync(DIGEST_FILE, `${digest}\n`);
}

function computeDigest(): string {
  // Without facts about the machine: the name of a build contains them in addition to the digest.
  const hash = createHash('sha256').update(JSON.stringify([FLAGS, UNIX_FLAGS, INSTRUCTION_SETS, EXACT]));
  for (const file of listSources()) hash.update(`\n${file}\n`).update(readFileSync(join(sourceFolder, file)));
  return hash.digest('hex').slice(0, 16);
}

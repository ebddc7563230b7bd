// The machine's C++ compiler. scripts/build-native.js, which runs before this is compiled, looks for it in the same order.

import { spawnSync } from 'node:child_process';

/** CXX, else c++, g++ and clang++. */
export function compilerCandidates(): string[] {
  return process.env['CXX'] ? [process.env['CXX']] : ['c++', 'g++', 'clang++'];
}

/** The first candidate that runs, and the first line of its version; undefined if none does. */
export function findCompiler(): { readonly name: string; readonly version: string } | undefined {
  for (const name of compilerCandidates()) {
    const { status, stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' });
    if (status === 0) return { name, version: stdout.split('\n')[0] as string };
  }
  return undefined;
}

/** What to do where there is none. */
export const COMPILER_CURE = 'Debian, Ubuntu: apt install g++; macOS: xcode-select --install';

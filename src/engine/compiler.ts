// Finds the C++ compiler of the machine.

import { spawnSync } from 'node:child_process';

/** The compilers to try: CXX, else c++, g++ and clang++. */
export function compilerCandidates(): string[] {
  return process.env['CXX'] ? [process.env['CXX']] : ['c++', 'g++', 'clang++'];
}

export interface Compiler {
  readonly name: string;
  /** The first arguments on its command line. */
  readonly args?: readonly string[];
  /** The first line of its version text. */
  readonly version: string;
}

/** The first candidate that runs; undefined if none does. */
export function findCompiler(): Compiler | undefined {
  for (const name of compilerCandidates()) {
    const { status, stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' });
    if (status === 0) return { name, version: stdout.split('\n')[0] as string };
  }
  return undefined;
}

/** Advice if there is no compiler. */
export const COMPILER_CURE = 'Debian, Ubuntu: apt install g++; macOS: xcode-select --install';

#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/src/cli/main.js', import.meta.url);
if (existsSync(main)) {
  process.exitCode = await (await import(main.href)).main(process.argv);
} else {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  // An installed package has no sources to build from.
  const advice = existsSync(new URL('../src/cli/main.ts', import.meta.url))
    ? `run: npm --prefix ${JSON.stringify(folder)} run compile`
    : 'npm builds it when it installs from git with its scripts; install it again without --ignore-scripts';
  console.error(`error: lunet has not been built (${folder} has no dist folder); ${advice}`);
  process.exitCode = 1;
}

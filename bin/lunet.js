#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/src/cli/main.js', import.meta.url);
if (existsSync(main)) {
  process.exitCode = await (await import(main.href)).main(process.argv);
} else {
  console.error(
    'error: lunet has not been built (was it installed with --ignore-scripts?); run: npm run build',
  );
  process.exitCode = 1;
}

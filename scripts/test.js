// Runs the compiled unit tests with the test runner of Node.js; arguments select tests whose path contains one of them.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const wanted = process.argv.slice(2);
const files = readdirSync('dist/test', { recursive: true })
  .map((file) => join('dist/test', file))
  .filter(
    (file) =>
      file.endsWith('.test.js') && (wanted.length === 0 || wanted.some((part) => file.includes(part))),
  )
  .sort();
if (files.length === 0) {
  console.error(`no test matches ${wanted.join(' ')}`);
  process.exit(1);
}
// One file more at a time than Node.js would run: many tests wait for processes, terminals and locks.
const atOnce = `--test-concurrency=${availableParallelism()}`;
process.exit(spawnSync(process.execPath, ['--test', atOnce, ...files], { stdio: 'inherit' }).status ?? 1);

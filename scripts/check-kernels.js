// Checks the includes of the kernels of each instruction set: node scripts/check-kernels.js [FOLDER], run by `npm run lint`.
// Code of an instruction set must not use the standard library: the linker keeps one copy of an inline function for the
// whole engine, and a copy compiled for AVX-512 would crash on a machine without it. So the files named isa_* may only
// reach the headers in the folders of kernels and of augmentation, and three headers that contain only types and
// intrinsics.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ALLOWED = ['<cstddef>', '<cstdint>', '<immintrin.h>'];
const source = process.argv[2] ?? fileURLToPath(new URL('../src/engine/native', import.meta.url));

/** A file and all files that it includes; adds the problems of includes to `problems`. */
function follow(file, seen, problems) {
  if (seen.has(file)) return;
  seen.add(file);
  const lines = readFileSync(join(source, file), 'utf8').split('\n');
  lines.forEach((line, i) => {
    const name = /^\s*#\s*include\s*(.*?)\s*(\/\/.*)?$/.exec(line)?.[1];
    if (name === undefined || ALLOWED.includes(name)) return;
    const own = /^"((?:kernels|augmentation)\/[\w.]+)"$/.exec(name)?.[1];
    if (own !== undefined && existsSync(join(source, own))) follow(own, seen, problems);
    else
      problems.push(
        `${file}:${i + 1}: found ${name}, expected "kernels/...", "augmentation/..." or ${ALLOWED.join(', ')}`,
      );
  });
}

const starts = ['kernels', 'augmentation'].flatMap((folder) =>
  readdirSync(join(source, folder))
    .filter((file) => /^isa_.*\.cpp$/.test(file))
    .map((file) => `${folder}/${file}`),
);
const seen = new Set();
const problems = starts.length > 0 ? [] : [`${source}/kernels: found no file isa_*.cpp`];
for (const file of starts) follow(file, seen, problems);
for (const problem of problems) console.error(`check-kernels: ${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;

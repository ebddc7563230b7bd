// Checks what each instruction set's kernels are compiled from: node scripts/check-kernels.js [FOLDER], run by `npm run
// lint`. Code of an instruction set must use nothing of the standard library: the linker keeps one copy of an inline
// function for the whole engine, and a copy compiled for AVX-512 would stop a machine without it. So from the files named
// isa_* no other headers may be reached than those of the kernels' folder and three that hold types and intrinsics alone.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ALLOWED = ['<cstddef>', '<cstdint>', '<immintrin.h>'];
const source = process.argv[2] ?? fileURLToPath(new URL('../src/engine/native', import.meta.url));

/** Every file that a file includes, itself first, and what is wrong with the includes. */
function follow(file, seen, problems) {
  if (seen.has(file)) return;
  seen.add(file);
  const lines = readFileSync(join(source, file), 'utf8').split('\n');
  lines.forEach((line, i) => {
    const name = /^\s*#\s*include\s*(.*?)\s*(\/\/.*)?$/.exec(line)?.[1];
    if (name === undefined || ALLOWED.includes(name)) return;
    const own = /^"(kernels\/[\w.]+)"$/.exec(name)?.[1];
    if (own !== undefined && existsSync(join(source, own))) follow(own, seen, problems);
    else problems.push(`${file}:${i + 1}: found ${name}, expected "kernels/..." or ${ALLOWED.join(', ')}`);
  });
}

const starts = readdirSync(join(source, 'kernels')).filter((file) => /^isa_.*\.cpp$/.test(file));
const seen = new Set();
const problems = starts.length > 0 ? [] : [`${source}/kernels: found no file isa_*.cpp`];
for (const file of starts) follow(`kernels/${file}`, seen, problems);
for (const problem of problems) console.error(`check-kernels: ${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;

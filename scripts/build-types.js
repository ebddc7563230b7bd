// Checks what runs in browsers, and writes the type declarations of the two libraries, `lunet` and `lunet/web`, into dist/types:
// node scripts/build-types.js. Declarations that the libraries' own do not refer to are removed.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const types = join(root, 'dist/types');

rmSync(types, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'src/web'], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);

const needed = new Set();
function visit(file) {
  if (needed.has(file)) return;
  needed.add(file);
  const text = readFileSync(file, 'utf8');
  for (const [, path] of text.matchAll(/(?:from |import\()['"](\.[^'"]+)\.js['"]/g))
    visit(join(dirname(file), `${path}.d.ts`));
}
visit(join(types, 'src/library/index.d.ts'));
visit(join(types, 'src/web/index.d.ts'));
for (const path of readdirSync(types, { recursive: true }).map((name) => join(types, name)))
  if (statSync(path).isFile() && !needed.has(path)) rmSync(path);

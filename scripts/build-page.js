// Bundles what runs in browsers into dist/web: the page that `lunet export --html` writes, so that an installed lunet writes pages
// without a bundler, and the library `lunet/web`: node scripts/build-page.js. Nothing that needs Node.js gets in: the bundler
// knows none of its modules.
import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const web = fileURLToPath(new URL('../src/web', import.meta.url));
const outdir = fileURLToPath(new URL('../dist/web', import.meta.url));

const shared = {
  bundle: true,
  // What has WebAssembly with SIMD and DecompressionStream.
  target: ['chrome94', 'firefox113', 'safari16.4'],
  // Imports of types alone bring no code.
  tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: false, strict: true, target: 'ES2022' } },
  legalComments: 'none',
  logLevel: 'warning',
};

await Promise.all([
  build({
    ...shared,
    entryPoints: ['main.ts', 'worker.ts', 'page.css'].map((file) => `${web}/page/${file}`),
    outdir: `${outdir}/page`,
    format: 'iife',
    minify: true,
  }),
  build({ ...shared, entryPoints: [`${web}/index.ts`], outfile: `${outdir}/index.js`, format: 'esm' }),
]);
copyFileSync(`${web}/page/page.html`, `${outdir}/page/page.html`);

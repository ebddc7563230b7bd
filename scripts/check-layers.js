// Checks that imports go one way: a file of src may import from its own layer or from earlier ones, and there are no import
// cycles. Imports of types count; dynamic imports, `import(...)`, do not.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

// Layers, from those without dependencies to those that depend on all others. A file belongs to the longest entry that is a
// prefix of its path. The files directly in src come before all layers.
const LAYERS = [
  ['network'],
  // The plain types of the engine interface.
  ['engine/engine.ts'],
  // The sources of names for the config.
  [
    'pruning/criteria',
    'pruning/strategies',
    'data/layouts/index.ts',
    'data/layouts/layout.ts',
    'evaluation/names.ts',
  ],
  ['config'],
  // The facts about data in records and model files.
  [
    'data/split.ts',
    'data/patients.ts',
    'data/cut-off.ts',
    'data/preprocess.ts',
    'data/percentile.ts',
    'data/normalise.ts',
    'data/resample.ts',
    'data/resample-axis.ts',
    'data/places.ts',
    'data/nifti/affine.ts',
  ],
  ['model'],
  ['runs'],
  ['engine'],
  ['augmentation'],
  ['data'],
  ['inference'],
  ['evaluation'],
  ['training'],
  ['export'],
  ['pruning'],
  ['experiment'],
  ['predict'],
  ['init'],
  ['web', 'library'],
  ['report'],
  ['preview'],
  ['cli'],
];

const source = process.argv[2] ?? fileURLToPath(new URL('../src', import.meta.url));
const files = readdirSync(source, { recursive: true }).filter((file) => file.endsWith('.ts'));
const imports = new Map(
  files.map((file) => {
    const text = readFileSync(join(source, file), 'utf8');
    const specifiers = [...text.matchAll(/\bfrom '(\.[^']+)'|^import '(\.[^']+)'/gm)].map(
      ([, a, b]) => a ?? b,
    );
    return [file, specifiers.map((path) => normalize(join(dirname(file), path)).replace(/\.js$/, '.ts'))];
  }),
);

/** The index of the layer of a file; -1 for files directly in src, undefined for unlisted folders. */
function layerOf(file) {
  if (!file.includes('/')) return -1;
  let [layer, longest] = [undefined, 0];
  for (const [at, entries] of LAYERS.entries())
    for (const entry of entries)
      if ((file === entry || file.startsWith(`${entry}/`)) && entry.length > longest)
        [layer, longest] = [at, entry.length];
  return layer;
}

const problems = [];
for (const [file, targets] of imports) {
  const own = layerOf(file);
  if (own === undefined)
    problems.push(`src/${file}: its folder is not in a layer; add it to scripts/check-layers.js`);
  for (const target of targets)
    if (layerOf(target) > own) problems.push(`src/${file}: imports src/${target}, which is in a later layer`);
}

/** Reports each cycle once, at the import that closes it. */
const [done, path] = [new Set(), []];
function visit(file) {
  if (done.has(file)) return;
  const at = path.indexOf(file);
  if (at >= 0) {
    problems.push(`circle of imports: ${[...path.slice(at), file].join(' -> ')}`);
    return;
  }
  path.push(file);
  (imports.get(file) ?? []).forEach(visit);
  path.pop();
  done.add(file);
}
files.forEach(visit);

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}

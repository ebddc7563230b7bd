// What `npm pack` makes, installed by npm as users do it: its files, and the native engine that it builds with the real
// compiler. Without npm's registry or its cache at hand nothing can be installed.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { emptyFolder } from '../cli/lunet.js';
import { TINY } from '../cli/tiny.js';
import { type Installed, start, withoutNpm } from '../engine/native/installed.js';

const checkout = fileURLToPath(new URL('../../..', import.meta.url));
const LARGEST_KB = 700;

const npm = (args: readonly string[], cwd: string): string => {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, encoding: 'utf8', env: withoutNpm() });
  assert.equal(status, 0, `npm ${args.join(' ')}: ${stderr}`);
  return stdout;
};

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

let packed: Packed;
let project: Installed;

before(() => {
  const folder = emptyFolder();
  // The checkout is built already; building it anew would pull it from under the other tests.
  const list = npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder], checkout);
  [packed] = JSON.parse(list) as [Packed];
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'package.json'), '{}');
  writeFileSync(join(cwd, 'tiny.yaml'), TINY);
  const quiet = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  npm(['install', ...quiet, join(folder, packed.filename)], cwd);
  project = { package: join(cwd, 'node_modules/lunet'), cache: join(emptyFolder(), 'cache'), cwd };
});

test('the package has what it needs and nothing of this machine', () => {
  const files = new Set(packed.files.map(({ path }) => path));
  for (const path of files)
    assert.doesNotMatch(path, /^(test|build|node_modules|\.)|dist\/test|\.(map|ts|node|o|tsbuildinfo)$/);
  assert.ok(packed.size < LARGEST_KB * 1024, `${packed.size} bytes`);
  for (const document of [
    'README.md',
    'CONTRIBUTING.md',
    ...[...files].filter((path) => /^docs\/.*\.md$/.test(path)),
  ]) {
    assert.ok(files.has(document), document);
    const links = readFileSync(join(project.package, document), 'utf8').matchAll(/\]\(([^)#]+)[^)]*\)/g);
    for (const [, link] of [...links].filter(([, target]) => !/^\w+:/.test(target as string))) {
      const path = normalize(join(dirname(document), link as string));
      assert.ok(existsSync(join(project.package, path)), `${document}: ${path}`);
    }
  }
});

test('two commands at once build the engine once, with the real compiler, and train on it', async () => {
  const train = (model: string) =>
    start(project, ['train', 'tiny.yaml', '--model', model, '--seeds', '1'], withoutNpm()).ended;
  const both = await Promise.all([train('unet-n2'), train('lunet-n2')]);
  for (const { code, stderr } of both) {
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Engine: native/m);
  }
  assert.equal(both.filter(({ stderr }) => stderr.includes('Building the native engine')).length, 1);
  // Which is in the package, and needs no compiler any more.
  const doctor = await start(project, ['doctor'], {}).ended;
  assert.equal(doctor.code, 0, doctor.stdout);
  assert.ok(doctor.stdout.includes(`native engine        ${join(project.package, 'build')}`), doctor.stdout);
  assert.deepEqual(readdirSync(join(project.package, 'build')).length, 1);
});

test('npx finds it, and it finds its configs by name', () => {
  const source = (
    JSON.parse(npm(['exec', '--offline', '--', 'lunet', 'config', 'hippocampus', '--json'], project.cwd)) as {
      source: string;
    }
  ).source;
  assert.equal(source, 'node_modules/lunet/configs/hippocampus.yaml');
});

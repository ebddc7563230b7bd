// What `npm pack` makes, installed by npm as users do it: its files, the native engine that it brings, and the one that it
// builds with the real compiler where it brings none. Without npm's registry or its cache at hand nothing can be installed.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { prebuildFolder, prebuildsFolder } from '../../src/engine/native/builds.js';
import { emptyFolder } from '../cli/lunet.js';
import { TINY } from '../cli/tiny.js';
import { type Installed, start, withoutNpm } from '../engine/native/installed.js';

const checkout = fileURLToPath(new URL('../../..', import.meta.url));
const LARGEST_KB = 1000;
/** All seven and the rest stay below 4 MB. */
const LARGEST_PREBUILD_KB = 400;

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
  // The checkout is already built; a rebuild would remove files that other tests use.
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
    assert.doesNotMatch(
      path,
      /^(test|build|node_modules|\.)|dist\/test|(?<!\.d)\.ts$|\.(map|o|tsbuildinfo)$|^(?!prebuilds\/).*\.node$/,
    );
  const prebuilds = existsSync(prebuildsFolder) ? readdirSync(prebuildsFolder) : [];
  for (const name of prebuilds)
    for (const file of ['lunet.node', 'build.json'])
      assert.ok(files.has(`prebuilds/${name}/${file}`), `${name}/${file}`);
  const largest = LARGEST_KB + prebuilds.length * LARGEST_PREBUILD_KB;
  assert.ok(packed.size < largest * 1024, `${packed.size} bytes, ${prebuilds.length} prebuilt engines`);
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

test('it leaves TensorFlow.js to those who want it: a message says how, and a set-up brings its own', async () => {
  assert.ok(!existsSync(join(project.cwd, 'node_modules/@tensorflow')));
  // Whatever is set up on this machine.
  const none = { LUNET_TENSORFLOW: emptyFolder() };
  const { code, stderr } = await start(project, ['train', 'tiny.yaml', '--engine', 'webgpu'], none).ended;
  assert.equal(code, 4, stderr);
  assert.match(stderr, /TensorFlow\.js .* is not installed; .*lunet setup tensorflow.*npm install --no-save/);
  const setUp = emptyFolder();
  mkdirSync(join(setUp, 'node_modules'));
  symlinkSync(join(checkout, 'node_modules/@tensorflow'), join(setUp, 'node_modules/@tensorflow'));
  const module = pathToFileURL(join(project.package, 'dist/src/engine/tfjs/core.js')).href;
  const script = `const { core } = await import(${JSON.stringify(module)}); console.log(core.version_core);`;
  const loaded = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, LUNET_TENSORFLOW: setUp },
  });
  assert.equal(loaded.stdout, '4.22.0\n', loaded.stderr);
});

test(
  'the engine that it brings trains and predicts, without a compiler and without building',
  { skip: !existsSync(prebuildFolder()) && 'there is none for this machine: npm run prebuild' },
  async () => {
    const train = ['train', 'tiny.yaml', '--model', 'unet-n2', '--seeds', '2'];
    const { code, stderr } = await start(project, train).ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Engine: native/m);
    assert.doesNotMatch(stderr, /Building/);
    const { stdout } = await start(project, ['doctor']).ended;
    const path = join(project.package, 'prebuilds', basename(prebuildFolder()), 'lunet.node');
    assert.ok(stdout.includes(`native engine        ${path}`), stdout);

    const scans = join(project.cwd, 'scans');
    const phantom = ['data', 'phantom', '--cases', '2', '--size', '16', '--out', scans];
    assert.equal((await start(project, phantom).ended).code, 0);
    const input = join(scans, 'imagesTr');
    const model = 'runs/tiny/train/unet-n2/seed-2';
    const predicted = await start(project, ['predict', model, '-i', input, '-o', 'masks']).ended;
    assert.equal(predicted.code, 0, predicted.stderr);
    const masks = readdirSync(join(project.cwd, 'masks')).filter((name) => name.endsWith('.nii.gz'));
    assert.deepEqual(masks.sort(), readdirSync(input).sort());
  },
);

test('two commands at once build the engine once, with the real compiler, and train on it', async () => {
  rmSync(join(project.package, 'prebuilds'), { recursive: true, force: true });
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

test('TypeScript finds the types of both libraries in it, strictly checked', () => {
  const text = readFileSync(join(project.package, 'docs/library.md'), 'utf8');
  const example = /```js\n(import [^`]*? 'lunet';[^]*?)```/.exec(text)?.[1] as string;
  const typed = `${example}
import { type Measures, type OpenModel, type Volume, createVolume, measure } from 'lunet';
import * as web from 'lunet/web';
const opened: OpenModel = model;
const made: Volume = createVolume({ voxels: new Int16Array(8), size: [2, 2, 2], affine: scan.affine });
const { dice }: Measures = measure(labels as Uint8Array, new Uint8Array(8), { size: [2, 2, 2], spacing: [1, 1, 1] });
export const bytes: Uint8Array = await web.writeNifti((await opened.segment(made)).labels, made, String(dice));
// @ts-expect-error: there is no such option
await openModel('hippocampus', { thread: 2 });
// @ts-expect-error: nor such a result, so types are not \`any\`
export const { nothing } = await web.openModel(bytes, bytes);`;
  writeFileSync(join(project.cwd, 'typed.mts'), typed);
  const tsc = join(checkout, 'node_modules/typescript/bin/tsc');
  const types = ['--types', 'node', '--typeRoots', join(checkout, 'node_modules/@types')];
  const strict = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', 'typed.mts'];
  const checked = spawnSync(process.execPath, [tsc, ...types, ...strict], {
    cwd: project.cwd,
    encoding: 'utf8',
  });
  assert.equal(checked.stdout, '');
  assert.equal(checked.status, 0);
});

test('npx finds it, and it finds its configs by name', () => {
  const source = (
    JSON.parse(npm(['exec', '--offline', '--', 'lunet', 'config', 'hippocampus', '--json'], project.cwd)) as {
      source: string;
    }
  ).source;
  assert.equal(source, 'node_modules/lunet/configs/hippocampus.yaml');
});

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MODEL_KEY } from '../../../src/model/model.js';
import { encodeSafetensors } from '../../../src/runs/safetensors.js';
import { madeModel, madeModelFile } from '../../export/made-model.js';
import { readOnnx } from '../../export/onnx/read.js';
import { emptyFolder, lunet } from '../lunet.js';

/** A new folder with a model file. */
function folderWithModel(): string {
  const folder = emptyFolder();
  writeFileSync(join(folder, 'model.safetensors'), madeModelFile());
  return folder;
}

test('a model file becomes an ONNX file, the same bytes each time', () => {
  const cwd = folderWithModel();
  const { status, stdout, stderr } = lunet(['export', 'model.safetensors', '--onnx', 'new/a.onnx'], { cwd });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^new\/a\.onnx \(\d+\.\d kB\)\n$/);
  assert.match(stderr, /^Next: lunet predict model\.safetensors -i scan\.nii\.gz -o segmentation\.nii\.gz$/m);
  const file = readFileSync(join(cwd, 'new/a.onnx'));
  const { weights, ...description } = madeModel;
  assert.ok(weights);
  assert.deepEqual(JSON.parse(readOnnx(file).metadata['model'] as string), description);
  lunet(['export', 'model.safetensors', '--onnx', 'b.onnx'], { cwd });
  assert.deepEqual(readFileSync(join(cwd, 'b.onnx')), file);
});

test('several formats at once, in half precision, as JSON', () => {
  const cwd = folderWithModel();
  const args = ['export', 'model.safetensors', '--onnx', 'a.onnx', '--bundle', 'b', '--half', '--json'];
  const { status, stdout } = lunet(args, { cwd });
  assert.equal(status, 0);
  const printed = JSON.parse(stdout) as {
    model: string;
    half: boolean;
    files: { path: string; bytes: number }[];
  };
  assert.equal(printed.model, madeModel.name);
  assert.equal(printed.half, true);
  for (const { path, bytes } of printed.files) assert.equal(readFileSync(join(cwd, path)).length, bytes);
  assert.deepEqual(
    printed.files.map(({ path }) => path),
    [
      'a.onnx',
      'b/models/model.onnx',
      'b/models/model.safetensors',
      'b/docs/README.md',
      'b/configs/metadata.json',
    ],
  );
  assert.deepEqual(readFileSync(join(cwd, 'a.onnx')), readFileSync(join(cwd, 'b/models/model.onnx')));
});

test('what is there is not written over unasked, and nothing else is written then', () => {
  const cwd = folderWithModel();
  writeFileSync(join(cwd, 'a.onnx'), 'mine');
  mkdirSync(join(cwd, 'b'));
  writeFileSync(join(cwd, 'b/notes'), 'mine');
  const exported = (...args: string[]): { status: number | null; stderr: string } =>
    lunet(['export', 'model.safetensors', ...args], { cwd });
  const file = exported('--bundle', 'new', '--onnx', 'a.onnx');
  assert.equal(file.status, 2);
  assert.match(
    file.stderr,
    /^error: --onnx: a\.onnx: found a file that is there already.*--force replaces it$/m,
  );
  const folder = exported('--bundle', 'b');
  assert.equal(folder.status, 2);
  assert.match(
    folder.stderr,
    /^error: --bundle: b: found a folder that is not empty.*--force writes into it$/m,
  );
  assert.deepEqual(readdirSync(cwd).sort(), ['a.onnx', 'b', 'model.safetensors']);
  assert.equal(exported('--bundle', 'b', '--onnx', 'a.onnx', '--force').status, 0);
  assert.notEqual(readFileSync(join(cwd, 'a.onnx'), 'utf8'), 'mine');
  assert.equal(readFileSync(join(cwd, 'b/notes'), 'utf8'), 'mine');
});

test('places that an export cannot be written to', () => {
  const cwd = folderWithModel();
  mkdirSync(join(cwd, 'folder'));
  const refused: [args: string[], status: number, message: RegExp][] = [
    [[], 2, /expected --onnx FILE or --html FILE or --bundle FOLDER/],
    [['--onnx', 'folder', '--force'], 2, /--onnx: folder: found a folder, expected a new file/],
    [['--bundle', 'model.safetensors'], 2, /found a file, expected a new folder/],
    [['--onnx', '/dev/null', '--force'], 2, /\/dev\/null: found a device, expected a new file/],
    [['--onnx', 'model.safetensors', '--force'], 2, /model\.safetensors: is the model itself/],
    [['--onnx', 'model.safetensors/a'], 5, /a part of the path is a file/],
    [['--onnx', '/proc/nothing/a.onnx'], 5, /could not be made.*; choose another place with --onnx$/m],
  ];
  for (const [args, status, message] of refused) {
    const ended = lunet(['export', 'model.safetensors', ...args], { cwd });
    assert.match(ended.stderr, message);
    assert.equal(ended.status, status, ended.stderr);
    assert.equal(ended.stdout, '');
  }
});

test('models that cannot be read', () => {
  const cwd = folderWithModel();
  const { weights, ...description } = madeModel;
  const metadata = { [MODEL_KEY]: JSON.stringify({ ...description, format: 2 }) };
  writeFileSync(join(cwd, 'later.safetensors'), encodeSafetensors({ tensors: weights, metadata }));
  writeFileSync(join(cwd, 'half.safetensors'), madeModelFile().subarray(0, 3000));
  const refused: [model: string, status: number, message: RegExp][] = [
    ['later.safetensors', 3, /found a model of version 2, expected 1/],
    ['half.safetensors', 3, /expected a complete safetensors file/],
    ['nothing.safetensors', 2, /no such file.*a shipped one: hippocampus/],
  ];
  for (const [model, status, message] of refused) {
    const ended = lunet(['export', model, '--onnx', 'a.onnx'], { cwd });
    assert.match(ended.stderr, message);
    assert.equal(ended.status, status, ended.stderr);
  }
});

test('a page, of a shipped model by its name', () => {
  const cwd = emptyFolder();
  const { status, stdout, stderr } = lunet(['export', 'hippocampus', '--html', 'my page.html'], { cwd });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^my page\.html \(2\d\d\.\d kB\)$/m);
  assert.match(stderr, /Next: open 'my page\.html'$/m);
  const page = readFileSync(join(cwd, 'my page.html'), 'utf8');
  assert.doesNotMatch(page, /\{\{/);
  assert.match(page, /default-src &#39;none&#39;/);
});

test('a page escapes what comes from the model', () => {
  const cwd = emptyFolder();
  const name = '<b>"x"</b></script>{{script}}$&';
  writeFileSync(
    join(cwd, 'model.safetensors'),
    madeModelFile({ ...madeModel, name, channels: ['<i>', 'T2'] }),
  );
  assert.equal(lunet(['export', 'model.safetensors', '--html', 'a.html'], { cwd }).status, 0);
  const page = readFileSync(join(cwd, 'a.html'), 'utf8');
  assert.ok(page.includes('<title>&lt;b&gt;&quot;x&quot;&lt;/b&gt;&lt;/script&gt;{{script}}$&amp;</title>'));
  assert.ok(page.includes('<option>&lt;i&gt;</option><option>T2</option>'));
});

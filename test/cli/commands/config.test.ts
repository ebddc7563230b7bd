import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { experimentJsonSchema } from '../../../src/config/reference.js';
import { shippedConfigs } from '../../../src/config/shipped.js';
import { emptyFolder, lunet } from '../lunet.js';

const HELP = `Usage: lunet config [options] [config]

Checks a configuration, the memory that it needs and the files of its data set,
without reading a volume; or shows it with overrides and defaults filled in.

Arguments:
  config             YAML file of the experiment, or the name of a shipped one (lunet config --list); default: ./lunet.yaml or ./lunet.yml, else the shipped default

Options:
  --print            print the resolved configuration as YAML
  --list             list the configs that come with lunet
  --schema           print the JSON Schema of experiment files
  --json             print the results as JSON
  --set <key=value>  override a key of the config, such as training.epochs=10 (repeatable) (default:
                     none)
  --engine <name>    auto, native (C++), wasm (the same as WebAssembly), tensorflow, or webgpu (default: "auto",
                     env: LUNET_ENGINE)
  -h, --help         print help

Examples:
  # print all settings of a file, including defaults
  $ lunet config experiment.yaml --print
  # a shipped config, from any folder
  $ lunet config hippocampus --print
  # see what an override does
  $ lunet config --print --set training.epochs=10
`;

test('help', () => {
  // Commander wraps at the width of the terminal; for a pipe it uses 80.
  assert.equal(lunet(['config', '--help']).stdout.replace(/\s+/g, ' '), HELP.replace(/\s+/g, ' '));
});

interface Printed {
  experiment: string;
  output: string;
  training: { epochs: number };
  models: { name: string }[];
}

test('the argument, else lunet.yaml, else the shipped default', () => {
  const cwd = emptyFolder();
  const experiment = (args: string[] = []): string =>
    (parse(lunet(['config', '--print', ...args], { cwd }).stdout) as Printed).experiment;
  assert.equal(experiment(), 'default');
  copyFileSync(join(shippedConfigs, 'harp.yaml'), join(cwd, 'lunet.yaml'));
  assert.equal(experiment(), 'harp');
  assert.equal(experiment([join(shippedConfigs, 'hippocampus.yaml')]), 'hippocampus');
});

test('what --print prints is a config that means the same', () => {
  const cwd = emptyFolder();
  const first = lunet(['config', '--print', '--set', 'training.epochs=7'], {
    cwd,
    env: { LUNET_OUTPUT: 'elsewhere' },
  });
  assert.equal(first.status, 0, first.stderr);
  const printed = parse(first.stdout) as Printed;
  assert.equal(printed.training.epochs, 7);
  assert.equal(printed.output, 'elsewhere');
  assert.ok(printed.models.every(({ name }) => name));
  writeFileSync(join(cwd, 'lunet.yaml'), first.stdout);
  assert.equal(lunet(['config', '--print'], { cwd }).stdout, first.stdout);
  const json = JSON.parse(lunet(['config', '--json'], { cwd }).stdout) as object;
  assert.deepEqual(json, { version: 1, source: 'lunet.yaml', config: printed });
});

test('--schema prints the JSON Schema', () => {
  assert.deepEqual(JSON.parse(lunet(['config', '--schema']).stdout), experimentJsonSchema());
});

test('shipped configs go by name in every command, unless there is a file of that name', () => {
  const cwd = emptyFolder();
  const source = (name: string): string =>
    (JSON.parse(lunet(['config', name, '--json'], { cwd }).stdout) as { source: string }).source;
  for (const name of ['hippocampus', 'hippocampus.yaml'])
    assert.equal(join(cwd, source(name)), join(shippedConfigs, 'hippocampus.yaml'));
  for (const words of [['info'], ['train', '-n'], ['prune', '-n'], ['retrain', '-n'], ['status'], ['report']])
    assert.notEqual(lunet([...words, 'hippocampus'], { cwd }).status, 2, words.join(' '));

  mkdirSync(join(cwd, 'harp'));
  assert.equal(join(cwd, source('harp')), join(shippedConfigs, 'harp.yaml'));
  for (const name of ['hippocampus', 'hippocampus.yaml']) {
    copyFileSync(join(shippedConfigs, 'harp.yaml'), join(cwd, name));
    assert.equal(source(name), name);
  }
});

test('a config that there is not: the shipped ones are named, with the nearest', () => {
  const complaint = (name: string): string => {
    const { status, stderr } = lunet(['train', name]);
    assert.equal(status, 2);
    return stderr.trimEnd();
  };
  const names = 'default, harp, hippocampus, patches, submandibular-gland, tracheal-tree';
  const expected = 'no such file or folder; expected an experiment config (YAML)';
  const near = '(did you mean hippocampus?)';
  assert.equal(complaint('hipocampus'), `error: hipocampus: ${expected}, or one of ${names} ${near}`);
  assert.equal(complaint('nothing'), `error: nothing: ${expected}, or one of ${names}`);
  assert.equal(complaint('hipocampus.yaml'), `error: hipocampus.yaml: ${expected} ${near}`);
  const path = 'configs/harp.yaml';
  assert.equal(complaint(path), `error: ${path}: ${expected}; the shipped config is called harp`);
  assert.equal(complaint('a/b.yaml'), `error: a/b.yaml: ${expected}`);
});

test('--list names what is shipped', () => {
  const { stdout } = lunet(['config', '--list']);
  const files = readdirSync(shippedConfigs).filter((file) => file.endsWith('.yaml'));
  for (const file of files) assert.match(stdout, new RegExp(`^${file.replace('.yaml', '')} +[A-Z]`, 'm'));
  const { configs } = JSON.parse(lunet(['config', '--list', '--json']).stdout) as { configs: object[] };
  assert.equal(configs.length, files.length);
  assert.match(stdout, /^hippocampus +Hippocampus in T1-weighted MRI: Task04/m);
});

test('a valid file is called valid, on stderr', () => {
  const { status, stdout, stderr } = lunet(['config', join(shippedConfigs, 'default.yaml')]);
  assert.deepEqual([status, stdout], [0, '']);
  assert.match(stderr, /default\.yaml is valid/);
});

test('what training would refuse before it reads a volume is refused, in the same words', () => {
  const cwd = emptyFolder();
  lunet(['data', 'phantom', '--cases', '4', '--size', '16', '--out', 'data'], { cwd });
  const base = readFileSync(join(cwd, 'data/lunet.yaml'), 'utf8');
  assert.equal(lunet(['config', 'data/lunet.yaml'], { cwd }).status, 0, base);
  for (const [setting, code, says] of [
    ['dataset.root=nowhere', 3, /no such/],
    ['dataset.split={train: 5, test: 5}', 3, /found 4 cases, but train 5/],
    ['dataset.split={train: [a], test: [b]}', 3, /there is no case a/],
    ['dataset.labels={a: 7}', 3, /dataset\.labels\.a: found 7/],
    ['preprocessing.size=[2048, 2048, 2048]', 4, /needs about .* GiB of memory/],
    ['training.epochs=0', 2, /training\.epochs: found 0/],
  ] as const) {
    const words = ['data/lunet.yaml', '--set', setting];
    const error = (command: string): [number | null, string] => {
      const { status, stderr } = lunet([command, ...words], { cwd });
      return [status, stderr.slice(stderr.indexOf('error:')).replace(/[\d.]+ GiB are free/, '')];
    };
    const [status, line] = error('config');
    assert.equal(status, code, line);
    assert.match(line, says);
    assert.deepEqual(error('train'), [status, line]);
  }
});

test('training refuses a wrong config with exit 2 before it looks for data or writes', () => {
  const cwd = emptyFolder();
  mkdirSync(join(cwd, 'data'));
  writeFileSync(
    join(cwd, 'lunet.yaml'),
    'experiment: x\ndataset:\n  layout: decathlon\n  root: absent\n  labels: { a: 1 }\n  splt: {}\n',
  );
  const { status, stdout, stderr } = lunet(['train'], { cwd });
  assert.deepEqual([status, stdout], [2, '']);
  assert.deepEqual(stderr.trim().split('\n'), [
    'error:',
    'lunet.yaml:6:3: dataset.splt: unknown key (did you mean split?)',
    'lunet.yaml:1:1: models: missing, expected a list',
    'lunet.yaml:1:1: preprocessing.size: missing, expected voxels along x, y, z (or training.patch, for volumes of any size)',
  ]);
  assert.deepEqual(readdirSync(cwd).sort(), ['data', 'lunet.yaml']);
  assert.equal(existsSync(join(cwd, 'runs')), false);
});

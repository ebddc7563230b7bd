import assert from 'node:assert/strict';
import { readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { emptyFolder, lunet } from '../lunet.js';

const cwd = emptyFolder();
const run = (...args: string[]): ReturnType<typeof lunet> => lunet(args, { cwd });
const made = run('data', 'phantom', '--cases', '6', '--size', '20x24x16', '--jitter', '0.2', '--out', 'data');
assert.equal(made.status, 0, made.stderr);
const image = join(cwd, 'data/imagesTr/phantom_002.nii.gz');

describe('lunet init', () => {
  it('writes a config with which training works', () => {
    const { status, stdout, stderr } = run('init', 'data');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /data: layout decathlon, 6 cases, 1 channel: MRI/);
    assert.match(stdout, /^preprocessing\.size +\[20, 24, 16\] +whole volumes: /m);
    assert.match(stdout, /^training\.augmentation +standard +4 cases to train on/m);
    assert.match(stderr, /Next: lunet train$/m);
    const text = readFileSync(join(cwd, 'lunet.yaml'), 'utf8');
    // Every setting has a comment above it.
    const lines = text.split('\n');
    for (const [i, line] of lines.entries())
      if (/^( {2})?\w+: \S/.test(line)) assert.match(lines[i - 1] ?? '', /^ *#/, line);
    const quick = ['--set', 'training.epochs=2', '--model', 'lunet-n4', '--split', 'fold-0', '--json'];
    const trained = run('train', ...quick);
    assert.equal(trained.status, 0, trained.stderr);
    const config = run('config', '--json').stdout;
    const { preprocessing, dataset } = (
      JSON.parse(config) as {
        config: { preprocessing: { spacing: number[] }; dataset: { labels: object; split: object } };
      }
    ).config;
    assert.deepEqual(preprocessing.spacing, [3.2, 2.6667, 4]);
    assert.deepEqual(dataset.labels, { Anterior: 1, Posterior: 2 });
  });

  it('chooses patches for large volumes, with which training works too', () => {
    const large = ['--size', '112x96x120', '--spacing', '1,1x1x1.5', '--orientation', 'RAS,PIL'];
    run('data', 'phantom', '--kind', 'gland', '--cases', '3', ...large, '--out', 'ct');
    const { status, stdout, stderr } = run('init', 'ct', '--out', 'ct.yaml');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^preprocessing\.normalisation +ct +dataset\.json says CT/m);
    assert.match(stdout, /^training\.patch +\{ size: \[96, 96, 96\], perEpoch: 250, foreground: 0\.33 \}/m);
    assert.match(stdout, /^training\.augmentation +standard/m);
    const quick = [
      'training.epochs=1',
      'training.patch.perEpoch=1',
      'models=[{family: lunet, n: 1, levels: 2}]',
    ];
    const trained = run('train', 'ct.yaml', ...quick.flatMap((setting) => ['--set', setting]));
    assert.equal(trained.status, 0, trained.stderr);
  });

  it('overwrites nothing unless it is asked to', () => {
    writeFileSync(join(cwd, 'other.yaml'), 'mine');
    const refused = run('init', 'data', '--out', 'other.yaml');
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /^error: other\.yaml: is there already; --force replaces it/);
    assert.equal(readFileSync(join(cwd, 'other.yaml'), 'utf8'), 'mine');
    const forced = run('init', 'data', '--out', 'other.yaml', '--force', '--json');
    assert.equal(forced.status, 0, forced.stderr);
    const { file, choices } = JSON.parse(forced.stdout) as { file: string; choices: { key: string }[] };
    assert.equal(file, 'other.yaml');
    assert.ok(choices.some(({ key }) => key === 'training.batch'));
    assert.equal(run('init', 'data', '--out', 'other.txt').status, 2);
  });

  it('lets training notice which file was changed', () => {
    const bytes = readFileSync(image);
    // Another time alone is no change.
    utimesSync(image, new Date(), new Date(Date.now() - 5000));
    assert.equal(run('config').status, 0);
    const changed = Buffer.from(bytes);
    changed[bytes.length - 12] = (changed[bytes.length - 12] as number) ^ 1;
    writeFileSync(image, changed);
    const { status, stderr } = run('train', '--set', 'experiment=again');
    assert.equal(status, 3, stderr);
    const line =
      /^error: .*phantom_002\.nii\.gz: found other content of the same length: it was changed since it was inspected/m;
    assert.match(stderr, line);
    assert.equal(run('config', '--set', 'dataset.inspected=nowhere.json').status, 3);
    writeFileSync(image, bytes);
    assert.equal(run('config').status, 0);
  });

  it('names the faults of all files, and writes nothing', () => {
    const bytes = readFileSync(image);
    truncateSync(image, 500);
    rmSync(join(cwd, 'data/labelsTr/phantom_004.nii.gz'));
    for (const args of [
      ['data', 'inspect', 'data'],
      ['init', 'data', '--out', 'faulty.yaml'],
    ]) {
      const { status, stdout, stderr } = run(...args);
      assert.equal(status, 3);
      assert.match(stdout, /data: layout decathlon, 4 cases/);
      assert.match(stderr, /phantom_002\.nii\.gz: the gzip stream is damaged or truncated/);
      assert.match(stderr, /training\[3\]\.label: found \.\/labelsTr\/phantom_004\.nii\.gz: no such file/);
    }
    assert.throws(() => readFileSync(join(cwd, 'faulty.yaml')), /ENOENT/);
    writeFileSync(image, bytes);
  });
});

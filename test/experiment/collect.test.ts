// Which runs count as results: those with equal settings, data and cases, whose files have not changed. All others are left
// out and reported.

import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadExperiment } from '../../src/config/load.js';
import { type Experiment } from '../../src/config/schema.js';
import { collectRuns } from '../../src/experiment/collect.js';
import { taskProgress, taskState } from '../../src/experiment/state.js';
import { planExperiment } from '../../src/experiment/tasks.js';
import { readRun } from '../../src/runs/run.js';
import { stream } from '../../src/random.js';
import { type Results, collectResults } from '../../src/report/results.js';
import { emptyFolder, lunet } from '../cli/lunet.js';
import { TINY } from '../cli/tiny.js';

const whole = emptyFolder();
writeFileSync(join(whole, 'lunet.yaml'), TINY);
succeed(whole, 'train');
succeed(whole, 'prune', '--strategy', 'widest');
succeed(whole, 'prune', '--strategy', 'widest', '--from-model');
succeed(whole, 'retrain', '--from-snapshot', '50%', '--init', 'random,rewind,inherit');

function succeed(cwd: string, ...args: string[]): string {
  const { status, stderr } = lunet(args, { cwd });
  assert.equal(status, 0, `lunet ${args.join(' ')}: ${stderr}`);
  return stderr;
}

/** A copy of all runs, to be changed. */
function copyOfAll(): string {
  const cwd = emptyFolder();
  cpSync(whole, cwd, { recursive: true });
  return cwd;
}

function configIn(cwd: string, overrides: readonly string[] = []): Experiment {
  return loadExperiment(join(cwd, 'lunet.yaml'), [
    `output=${JSON.stringify(join(cwd, 'runs'))}`,
    ...overrides,
  ]).config;
}

/** Every number of a report, without text that depends on its folder. */
function numbers({ summary, steps, epochs, scores, comparisons }: Results): string {
  return JSON.stringify({ summary, steps, epochs, scores, comparisons });
}

const leftOutIn = (cwd: string, overrides: readonly string[] = []): string[] =>
  collectRuns(configIn(cwd, overrides)).flatMap(({ leftOut }) =>
    leftOut.map(({ path, reason }) => `${path.slice(cwd.length + '/runs/tiny/'.length)}: ${reason}`),
  );

describe('what counts as a result', () => {
  const clean = numbers(collectResults(configIn(whole)));

  it('is everything, where nothing was changed', () => {
    assert.deepEqual(leftOutIn(whole), []);
  });
  it('is no copy of a run, no stray file and no dead link', () => {
    const cwd = copyOfAll();
    const train = join(cwd, 'runs/tiny/train');
    cpSync(join(train, 'unet-n2/seed-1'), join(train, 'unet-n2/seed-3'), { recursive: true });
    cpSync(join(train, 'unet-n2/seed-1'), join(train, 'unet-n2/seed-1 (copy)'), { recursive: true });
    cpSync(join(train, 'unet-n2'), join(train, 'unet-n2-old'), { recursive: true });
    writeFileSync(join(train, 'unet-n2/seed-5'), 'no folder');
    symlinkSync('/nowhere/seed-6', join(train, 'unet-n2/seed-6'));
    symlinkSync('.', join(train, 'unet-n2/circle'));
    symlinkSync('loop', join(train, 'loop'));
    mkdirSync(join(train, 'unet-n2/seed-7'));
    assert.equal(numbers(collectResults(configIn(cwd))), clean);
    const left = leftOutIn(cwd).join('\n');
    for (const name of ['seed-3', 'seed-1 (copy)', 'seed-5', 'seed-6', 'circle/'])
      assert.ok(left.includes(`train/unet-n2/${name}`), `${name} in:\n${left}`);
    assert.match(
      left,
      /unet-n2-old\/seed-2: is a copy, or was moved: it contains the record of train unet-n2, seed 2/,
    );
    assert.match(left, /train\/loop: is a link that does not lead to a run/);
  });
  it('is no run of other settings, and the message names them', () => {
    assert.deepEqual(
      leftOutIn(whole, ['training.epochs=7']).sort(),
      [
        ...[1, 2].map(
          (seed) =>
            `prune/widest-trained/seed-${seed}: was made with other settings: trained.epochs (3 then, 7 now)`,
        ),
        ...['lunet-n2', 'unet-n2'].flatMap((model) =>
          [1, 2].map(
            (seed) =>
              `train/${model}/seed-${seed}: was made with other settings: training.epochs (3 then, 7 now)`,
          ),
        ),
        ...['inherit', 'random', 'rewind'].flatMap((init) =>
          [1, 2].map(
            (seed) =>
              `retrain/widest-trained/50%-${init}/seed-${seed}: was made with other settings: pruned.trained.epochs (3 then, 7 now)`,
          ),
        ),
      ].sort(),
    );
    const pruning = leftOutIn(whole, ['pruning.recoveryEpochs=5']).join('\n');
    assert.match(pruning, /^prune\/widest\/seed-1: .*pruning\.recoveryEpochs \(2 then, 5 now\)$/m);
    assert.match(pruning, /^retrain\/widest\/50%-random\/seed-2: .*pruned\.pruning\.recoveryEpochs/m);
    assert.doesNotMatch(pruning, /^train/m);
    const model = leftOutIn(whole, ['models.0={name: unet-n2, family: unet, n: 2, levels: 3, convs: 1}']);
    assert.match(model.join('\n'), /^train\/unet-n2\/seed-1: .*model\.levels \(2 then, 3 now\)$/m);
    assert.match(
      leftOutIn(whole, ['models.0.n=3']).join('\n'),
      /unet-n2\/seed-1: .*a model that the config does not have/,
    );
  });
  it('is no run of a seed that the config does not have', () => {
    const left = leftOutIn(whole, ['training.seeds=[2]']);
    assert.ok(
      left.includes('train/unet-n2/seed-1: seed 1 is not one of training.seeds (2)'),
      left.join('\n'),
    );
    assert.ok(left.every((line) => line.includes('seed-1')));
  });
  it('is no run on volumes that have been edited since', () => {
    const cwd = emptyFolder();
    const phantoms = ['data', 'phantom', '--cases', '6', '--size', '16', '--out', 'data'];
    succeed(cwd, ...phantoms);
    const set = ['layout=decathlon', 'root=data', 'split={train: 3, test: 2}'].flatMap((each) => [
      '--set',
      `dataset.${each}`,
    ]);
    writeFileSync(join(cwd, 'lunet.yaml'), TINY.replace(/ {2}phantom:.*\n/, ''));
    succeed(cwd, 'train', '--model', 'unet-n2', '--seeds', '1', ...set);
    succeed(cwd, ...phantoms, '--seed', '5', '--force');
    const said = succeed(cwd, 'train', '--model', 'unet-n2', '--seeds', '2', ...set);
    assert.match(said, /Left out:\n.*unet-n2\/seed-1: was made with other voxels or cases/);
    const { stdout } = lunet(['report', '--json', '--no-figures', ...set], { cwd });
    const { summary } = JSON.parse(stdout) as { summary: { seeds: number }[] };
    assert.deepEqual(
      summary.map(({ seeds }) => seeds),
      [1],
    );
    // Now the reference is left out; the message must not say "not trained".
    succeed(cwd, ...phantoms, '--seed', '6', '--force');
    succeed(cwd, 'train', '--model', 'lunet-n2', '--seeds', '1', ...set);
    const report = lunet(['report', '--no-figures', ...set], { cwd }).stdout;
    assert.match(report, /Nothing is compared with unet-n2: its runs are left out/);
  });
  it('is nothing that was made from a run that has been done anew since', () => {
    const cwd = copyOfAll();
    // Other weights with the same settings, as from another instruction set.
    rmSync(join(cwd, 'runs/tiny/prune/widest/seed-1'), { recursive: true });
    cpSync(join(cwd, 'runs/tiny/prune/widest/seed-2'), join(cwd, 'runs/tiny/prune/widest/seed-1'), {
      recursive: true,
    });
    assert.match(leftOutIn(cwd).join('\n'), /prune\/widest\/seed-1: is a copy/);
    const set = ['--set', 'training.epochs=4'];
    succeed(cwd, 'train', '--model', 'unet-n2', '--overwrite', ...set);
    const refused = lunet(['prune', '--strategy', 'widest', '--from-model'], { cwd });
    assert.equal(refused.status, 2, refused.stderr);
    assert.match(
      refused.stderr,
      /unet-n2\/seed-1: was trained with other settings: training\.epochs \(4 then, 3 now\)/,
    );
    const left = leftOutIn(cwd).join('\n');
    assert.match(left, /^prune\/widest-trained\/seed-2: .*was trained with other settings/m);
    assert.match(left, /^retrain\/widest-trained\/50%-inherit\/seed-2: /m);
    const retrained = lunet(
      ['retrain', '--from-snapshot', '50%', '--init', 'inherit', '--strategy', 'widest-trained'],
      { cwd },
    );
    assert.notEqual(retrained.status, 0);
    assert.doesNotMatch(retrained.stderr, /Nothing to do/);
  });
});

describe('tensors', () => {
  it('of another run are refused', () => {
    const cwd = copyOfAll();
    const [one, two] = [1, 2].map((seed) => join(cwd, `runs/tiny/prune/widest/seed-${seed}`)) as [
      string,
      string,
    ];
    for (const [name, init] of [
      ['initial', 'rewind'],
      ['snapshot-50', 'inherit'],
    ] as const) {
      copyFileSync(join(two, `${name}.safetensors`), join(one, `${name}.safetensors`));
      const args = [
        'retrain',
        '--from-snapshot',
        '50%',
        '--init',
        init,
        '--strategy',
        'widest',
        '--overwrite',
      ];
      const { status, stderr } = lunet(args, { cwd });
      assert.equal(status, 3, stderr);
      assert.match(stderr, new RegExp(`seed-1/${name}\\.safetensors: belongs to another run`));
      copyFileSync(
        join(whole, `runs/tiny/prune/widest/seed-1/${name}.safetensors`),
        join(one, `${name}.safetensors`),
      );
    }
  });
});

describe('a file that was changed after lunet wrote it', () => {
  const FILES = [
    'train/unet-n2/seed-1/run.json',
    'train/unet-n2/seed-1/cases.csv',
    'train/lunet-n2/seed-2/epochs.csv',
    'prune/widest/seed-1/run.json',
    'prune/widest/seed-1/steps.csv',
    'prune/widest/seed-2/cases-50.csv',
    'retrain/widest/50%-random/seed-1/run.json',
  ];
  const cwd = copyOfAll();
  const config = configIn(cwd);
  const clean = numbers(collectResults(config));

  /** Damages a file, and checks that the report says so. */
  function spoil(file: string, bytes: Uint8Array): void {
    const path = join(cwd, 'runs/tiny', file);
    const intact = readFileSync(path);
    writeFileSync(path, bytes);
    const results = collectResults(config);
    assert.ok(
      results.leftOut.some((line) =>
        line.startsWith(file.endsWith('.json') ? path.replace('/run.json', '') : path),
      ),
      `${file} in:\n${results.leftOut.join('\n')}`,
    );
    writeFileSync(path, intact);
  }
  for (const file of FILES)
    it(`by one bit is left out: ${file}`, () => {
      const bytes = readFileSync(join(cwd, 'runs/tiny', file));
      const random = stream(4, 'flips', file);
      for (let i = 0; i < 40; i++) {
        const flipped = Uint8Array.from(bytes);
        const at = i < 8 ? i : random.integer(bytes.length);
        flipped[at] = (flipped[at] as number) ^ (1 << random.integer(8));
        spoil(file, flipped);
      }
    });
  it('by cutting it off is left out', () => {
    for (const file of FILES) {
      const bytes = readFileSync(join(cwd, 'runs/tiny', file));
      for (const length of [0, 1, bytes.length >> 1, bytes.length - 1])
        spoil(file, bytes.subarray(0, length));
    }
  });
  it('by a spreadsheet is called that', () => {
    const file = 'prune/widest/seed-1/steps.csv';
    const text = readFileSync(join(cwd, 'runs/tiny', file), 'utf8');
    const path = join(cwd, 'runs/tiny', file);
    for (const saved of [`\uFEFF${text}`, text.replaceAll('\n', '\r\n'), text.replaceAll(',', ';')]) {
      writeFileSync(path, saved);
      const said = collectResults(config).leftOut;
      assert.match(said.join('\n'), /steps\.csv: was saved again by another program, such as a spreadsheet/);
    }
    writeFileSync(path, text);
  });
  it('is as before when it is put back', () => {
    assert.equal(numbers(collectResults(config)), clean);
  });
});

describe('labelled voxels that cropping cuts off', () => {
  it('are in run.json and below the table of the report', () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, 'lunet.yaml'), TINY.replace('[16, 16, 16]', '[8, 8, 16]'));
    succeed(cwd, 'train', '--model', 'unet-n2', '--seeds', '1');
    const record = readRun(join(cwd, 'runs/tiny/train/unet-n2/seed-1'));
    const { voxels = 0, total = 0, cases = 0 } = record?.cutOff.train ?? {};
    assert.ok(voxels > 0 && voxels < total, `${voxels} of ${total}`);
    assert.ok(cases > 0 && cases <= 5);
    const { stdout } = lunet(['report', '--no-figures'], { cwd });
    assert.match(
      stdout,
      new RegExp(`cut off labelled voxels, .*: ${voxels} of ${total} in ${cases} train case`),
    );
    assert.doesNotMatch(lunet(['report', '--no-figures'], { cwd: whole }).stdout, /cut off/);
  });
});

describe('progress', () => {
  it('comes from the record and the checkpoint, not from what a file looks like', () => {
    const cwd = copyOfAll();
    const config = configIn(cwd);
    const [task] = planExperiment(config);
    assert.ok(task);
    writeFileSync(join(task.folder, 'epochs.csv'), '\n'.repeat(50));
    assert.deepEqual(taskProgress(config, task, { folder: task.folder, record: taskState(task).record }), {
      done: 3,
      total: 3,
      unit: 'epochs',
    });
  });
});

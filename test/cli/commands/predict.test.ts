// `lunet predict` as a whole: on the cases that a run was tested on it finds what the run's evaluation has counted.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { readNifti } from '../../../src/data/nifti/read.js';
import { emptyFolder, lunet, readCsv } from '../lunet.js';

const RUN = 'runs/phantom-hippocampus/train/lunet-n4';
const cwd = emptyFolder();
const images = join(cwd, 'phantoms/imagesTr');

function predict(status: number, ...args: string[]): { stdout: string; stderr: string } {
  const result = lunet(['predict', ...args], { cwd });
  assert.equal(result.status, status, result.stderr);
  return result;
}

before(() => {
  const run = (...args: string[]): void => {
    const { status, stderr } = lunet(args, { cwd });
    assert.equal(status, 0, stderr);
  };
  run('data', 'phantom', '--cases', '6', '--size', '24', '--out', 'phantoms');
  const short = ['training.epochs=20', 'training.batch=2'];
  const set = short.flatMap((setting) => ['--set', setting]);
  run('train', 'phantoms/lunet.yaml', '--model', 'lunet-n4', '--seeds', '1,2', ...set);
});

/** Requires the Dice in a run's cases.csv of what was found. */
async function requireDice(cases: string, found: string): Promise<void> {
  for (const { case: id = '', dice } of readCsv(cases)) {
    const prediction = await readNifti(join(cwd, found, `${id}.nii.gz`));
    const truth = await readNifti(join(cwd, 'phantoms/labelsTr', `${id}.nii.gz`));
    const sums = [0, 0, 0] as [number, number, number];
    prediction.voxels.forEach((value, i) => {
      const [f, t] = [Number(value > 0), Number((truth.voxels[i] as number) > 0)];
      sums[0] += f * t;
      sums[1] += f;
      sums[2] += t;
    });
    assert.ok(Number(dice) > 0.3);
    assert.ok(
      Math.abs((2 * sums[0]) / (sums[1] + sums[2]) - Number(dice)) < 1e-9,
      `${id}: ${sums.join()} ${dice}`,
    );
  }
}

describe('lunet predict', () => {
  it('finds in the test cases of a run what its evaluation has counted, where they fill the window', async () => {
    predict(0, `${RUN}/seed-1`, '-i', images, '-o', 'seg');
    assert.deepEqual(
      readdirSync(join(cwd, 'seg')).filter((name) => !name.startsWith('.')),
      readdirSync(images),
    );
    await requireDice(join(cwd, RUN, 'seed-1/cases.csv'), 'seg');
  });

  it('normalises with the constants that ct has fitted in training', async () => {
    const run = 'runs/ct/train/lunet-n4/seed-1';
    const settings = [
      'experiment=ct',
      'preprocessing.normalisation=ct',
      'training.epochs=20',
      'training.batch=2',
    ];
    const { status, stderr } = lunet(
      [
        'train',
        'phantoms/lunet.yaml',
        '--model',
        'lunet-n4',
        '--seeds',
        '1',
        ...settings.flatMap((s) => ['--set', s]),
      ],
      { cwd },
    );
    assert.equal(status, 0, stderr);
    const { normalisation } = JSON.parse(readFileSync(join(cwd, run, 'run.json'), 'utf8')) as {
      normalisation: { clip: [number, number]; mean: number; deviation: number };
    };
    const { clip, mean, deviation } = normalisation;
    assert.ok(clip[0] < mean && mean < clip[1] && deviation > 0);
    const info = JSON.parse(lunet(['info', run, '--json'], { cwd }).stdout) as {
      description: { preprocessing: { normalisation: unknown } };
    };
    assert.deepEqual(info.description.preprocessing.normalisation, normalisation);
    predict(0, run, '-i', images, '-o', 'ct');
    await requireDice(join(cwd, run, 'cases.csv'), 'ct');
  });

  it('passes over what is done, and replaces nothing else unasked', () => {
    const { stdout } = predict(0, `${RUN}/seed-1`, '-i', images, '-o', 'seg', '--json');
    const { cases, overlap } = JSON.parse(stdout) as {
      cases: { case: string; status: string }[];
      overlap: number;
    };
    assert.equal(overlap, 0.5);
    assert.match(
      predict(2, `${RUN}/seed-1`, '-i', images, '-o', 'seg', '--overlap', '0.25').stderr,
      /was made with windows that overlap by 0.5, not 0.25; to replace it: --force/,
    );
    assert.deepEqual([...new Set(cases.map(({ status }) => status))], ['skipped']);
    const other = predict(2, `${RUN}/seed-2`, '-i', images, '-o', 'seg').stderr;
    assert.match(
      other,
      /6 of 6 cases failed:\n {2}\S+: seg\/\S+: is a result of another model \(phantom-hippocampus\/lunet-n4\/seed-1\)/,
    );
    const file = join(cwd, 'seg', readdirSync(images)[0] as string);
    writeFileSync(file, 'corrected by hand');
    assert.match(
      predict(2, `${RUN}/seed-1`, '-i', images, '-o', 'seg').stderr,
      /has changed since lunet wrote it; to replace it: --force/,
    );
    predict(0, `${RUN}/seed-1`, `${RUN}/seed-2`, '-i', images, '-o', 'seg', '--force');
    assert.notEqual(readFileSync(file, 'latin1'), 'corrected by hand');
  });

  it('goes on after a scan that cannot be read, and lists it at the end', () => {
    const scans = join(cwd, 'scans');
    mkdirSync(scans);
    const [first = '', second = ''] = readdirSync(images);
    copyFileSync(join(images, first), join(scans, 'good.nii.gz'));
    writeFileSync(join(scans, 'bad.nii.gz'), readFileSync(join(images, second)).subarray(0, 200));
    const { stdout, stderr } = predict(3, `${RUN}/seed-1`, '-i', 'scans', '-o', 'out');
    assert.match(stdout, /^good /m);
    assert.match(
      stderr,
      /1 of 2 cases failed:\n {2}bad: scans\/bad\.nii\.gz: the gzip stream is damaged or truncated/,
    );
    assert.deepEqual(readdirSync(join(cwd, 'out')).sort(), ['.lunet', 'good.nii.gz']);
  });

  it('writes masks and probabilities where the scan lies, and takes a method of an experiment', async () => {
    const [name = ''] = readdirSync(images);
    const id = name.replace('.nii.gz', '');
    const set = ['training.epochs=20', 'training.batch=2', 'training.seeds=[1, 2]'];
    const method = [
      '--run',
      'phantoms/lunet.yaml',
      '--method',
      'lunet-n4',
      ...set.flatMap((s) => ['--set', s]),
    ];
    const { stderr } = predict(
      0,
      ...method,
      '-i',
      join(images, name),
      '-o',
      'parts',
      '--separate',
      '--probabilities',
    );
    assert.equal(stderr.match(/^Model: /gm)?.length, 2);
    const mask = await readNifti(join(cwd, 'parts', id, 'hippocampus.nii.gz'));
    const soft = await readNifti(join(cwd, 'parts', `${id}_probabilities.nii.gz`));
    const scan = await readNifti(join(images, name));
    assert.deepEqual([mask.affine, soft.affine], [scan.affine, scan.affine]);
    mask.voxels.forEach((value, i) =>
      assert.ok(value === 1 ? soft.voxels[i]! >= 0.5 - 1 / 255 : soft.voxels[i]! < 0.51),
    );
  });

  it('refuses what cannot be meant, in a line', () => {
    const model = `${RUN}/seed-1`;
    for (const [status, args, says] of [
      [2, [model, '-i', images, '-o', images], /which is the folder of the scans/],
      [2, [model, '-i', images, '-o', join(images, 'x')], /which is within the folder of the scans/],
      [2, [model, '-i', images, '-o', 'x.nii.gz'], /expected a folder/],
      [2, [model, '-i', images, '-o', 'x', '--overlap', '1'], /expected a number from 0 to 0.9/],
      [2, [model, '-i', images, '-o', 'x', '--mirror'], /--mirror: found models that were not mirrored/],
      [2, ['hippocampos', '-i', images, '-o', 'x'], /no such file or folder; .*did you mean hippocampus/],
      [
        2,
        [model, 'hippocampus', '-i', images, '-o', 'x'],
        /outputs: found .* models of an ensemble must agree/,
      ],
      [2, ['-i', images, '-o', 'x'], /found no model/],
      [3, [model, '-i', 'nowhere', '-o', 'x'], /nowhere: cannot be read: no such file/],
      [3, [`${model}/initial.safetensors`, '-i', images, '-o', 'x'], /a network without preprocessing/],
    ] as [number, string[], RegExp][])
      assert.match(predict(status, ...args).stderr, says);
  });
});

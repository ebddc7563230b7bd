// `lunet evaluate` on files: what is written and printed, and what is refused.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeNifti } from '../../../src/data/nifti/write.js';
import { type Extent } from '../../../src/data/preprocess.js';
import { emptyFolder, lunet, readCsv } from '../lunet.js';

type Spot = readonly [from: number, to: number, value: number];

/** A row of 8 voxels across 2 x 2, with values in ranges along x. */
async function write(file: string, spots: readonly Spot[], spacing: Extent = [1, 2, 3]): Promise<void> {
  const voxels = new Uint8Array(32);
  for (let i = 0; i < 32; i++)
    for (const [from, to, value] of spots) if (i % 8 >= from && i % 8 < to) voxels[i] = value;
  await writeNifti(file, { size: [8, 2, 2], spacing, voxels });
}

/** Two cases in two folders: `a` as it should be but for one plane, `b` without label 2. */
async function twoFolders(): Promise<{ cwd: string; reference: string; prediction: string }> {
  const cwd = emptyFolder();
  const [reference, prediction] = [join(cwd, 'labelsTs'), join(cwd, 'predicted')];
  mkdirSync(reference);
  mkdirSync(prediction);
  await write(join(reference, 'a.nii.gz'), [
    [0, 4, 1],
    [4, 6, 2],
  ]);
  await write(join(prediction, 'a.nii.gz'), [
    [0, 3, 1],
    [3, 6, 2],
  ]);
  await write(join(reference, 'b.nii.gz'), [[0, 4, 1]]);
  await write(join(prediction, 'b.nii.gz'), [[0, 4, 1]]);
  return { cwd, reference, prediction };
}

test('two folders: table, cases.csv, nnU-Net summary that Python reads', async () => {
  const { cwd, prediction } = await twoFolders();
  // As `lunet predict --probabilities` leaves them; they are no case without a reference.
  await write(join(prediction, 'a_probabilities.nii.gz'), []);
  const { status, stdout, stderr } = lunet(['evaluate', 'labelsTs', 'predicted'], { cwd });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^1 +2 +0 +0\.9286 \(0\.9286\) +0\.8750 \(0\.8750\) +0\.500 \(0\.500\)/m);
  assert.match(stdout, /^2 +1 +0 +0\.8000 \(0\.8000\)/m);
  const rows = readCsv(join(prediction, 'cases.csv'));
  assert.equal(rows.length, 4);
  assert.deepEqual(rows[0], {
    case: 'a',
    label: '1',
    dice: String(24 / 28),
    iou: '0.75',
    hd95_mm: '1',
    assd_mm: String(4 / 28),
    nsd: '1',
    nsd_tolerance_mm: '1',
    reference_ml: '0.096',
    prediction_ml: '0.072',
  });
  assert.equal(rows[3]?.['dice'], '', 'label 2 is in neither file of b');
  const text = readFileSync(join(prediction, 'summary.json'), 'utf8');
  assert.match(text, /"Dice": NaN/);
  const python = spawnSync(
    'python3',
    [
      '-c',
      'import json, sys; s = json.load(sys.stdin); m = s["metric_per_case"]; print(m[0]["metrics"]["1"]["TP"], m[1]["metrics"]["2"]["n_ref"], ' +
        's["mean"]["2"]["Dice"], s["foreground_mean"]["FN"], m[1]["metrics"]["2"]["IoU"] != m[1]["metrics"]["2"]["IoU"])',
    ],
    { input: text, encoding: 'utf8' },
  );
  if (python.error === undefined) assert.equal(python.stdout, '12 0 0.8 1 True\n');

  const again = lunet(['evaluate', 'labelsTs', 'predicted'], { cwd });
  assert.equal(again.status, 2);
  assert.match(again.stderr, /cases\.csv: found results of an earlier evaluation; --force/);
  assert.equal(lunet(['evaluate', 'labelsTs', 'predicted', '--force'], { cwd }).status, 0);
  assert.deepEqual(
    readdirSync(prediction).filter((name) => !name.startsWith('a_')),
    ['a.nii.gz', 'b.nii.gz', 'cases.csv', 'summary.json'],
  );
});

test('labels, regions and the ignored label of a dataset.json; labels of the command line', async () => {
  const { cwd, prediction } = await twoFolders();
  await write(join(cwd, 'labelsTs', 'a.nii.gz'), [
    [0, 4, 1],
    [4, 6, 2],
    [6, 8, 9],
  ]);
  await write(join(prediction, 'a.nii.gz'), [[0, 8, 1]]);
  const labels = { background: 0, whole: [1, 2], core: 2, ignore: 9 };
  writeFileSync(join(cwd, 'dataset.json'), JSON.stringify({ labels }));
  const { status, stderr } = lunet(['evaluate', 'labelsTs', 'predicted'], { cwd });
  assert.equal(status, 0, stderr);
  assert.match(stderr, /Labels: .*dataset\.json/);
  const rows = readCsv(join(prediction, 'cases.csv'));
  assert.deepEqual(
    rows.map((row) => [row['case'], row['label'], row['dice'], row['hd95_mm']]),
    [
      ['a', 'whole', '1', '0'],
      ['a', 'core', '0', 'inf'],
      ['b', 'whole', '1', '0'],
      ['b', 'core', '', ''],
    ],
  );
  const summary = readFileSync(join(prediction, 'summary.json'), 'utf8');
  assert.match(summary, /"\(1, 2\)": \{\n/);
  assert.match(summary, /"HD95": Infinity/);

  const own = ['--labels', 'one=1', '--labels', 'both=1+9', '--json'];
  const { stdout } = lunet(['evaluate', 'labelsTs', 'predicted', '--out', 'elsewhere', ...own], { cwd });
  const printed = JSON.parse(stdout) as {
    version: number;
    labels: { name: string; misses: number; figures: { dice: { mean: number } } }[];
  };
  assert.equal(printed.version, 1);
  assert.deepEqual(
    printed.labels.map(({ name, figures }) => [name, figures.dice.mean.toFixed(4)]),
    [
      ['one', ((2 / 3 + 1) / 2).toFixed(4)],
      ['both', ((12 / 14 + 1) / 2).toFixed(4)],
    ],
  );
  assert.ok(existsSync(join(cwd, 'elsewhere', 'summary.json')));
});

test('two files write nothing unless asked', async () => {
  const { cwd } = await twoFolders();
  const { status, stdout } = lunet(
    ['evaluate', 'labelsTs/a.nii.gz', 'predicted/a.nii.gz', '--tolerance', '0.5'],
    {
      cwd,
    },
  );
  assert.equal(status, 0);
  assert.match(stdout, /NSD at 0\.5 mm/);
  assert.match(stdout, /^1 +0 +0\.8571 /m);
  assert.ok(!existsSync(join(cwd, 'predicted', 'cases.csv')));
});

test('bad cases: a line each, the others go on', async () => {
  const { cwd, reference, prediction } = await twoFolders();
  await write(join(reference, 'c.nii.gz'), [[0, 4, 1]]);
  await write(join(prediction, 'c.nii.gz'), [[0, 4, 1]], [1, 2, 3.5]);
  await write(join(reference, 'd.nii.gz'), [[0, 4, 1]]);
  await write(join(prediction, 'e.nii.gz'), [[0, 4, 1]]);
  await write(join(reference, 'f.nii.gz'), [[0, 4, 1]]);
  await writeNifti(join(prediction, 'f.nii.gz'), {
    size: [8, 2, 1],
    spacing: [1, 2, 3],
    voxels: new Uint8Array(16),
  });
  await write(join(reference, 'g.nii.gz'), [[0, 4, 1]]);
  writeFileSync(join(prediction, 'g.nii.gz'), 'no volume');
  await write(join(reference, 'h.nii.gz'), [[0, 4, 1]]);
  await writeNifti(join(prediction, 'h.nii.gz'), {
    size: [8, 2, 2],
    spacing: [1, 2, 3],
    voxels: new Float32Array(32).fill(0.5),
  });
  const { status, stdout, stderr } = lunet(['evaluate', 'labelsTs', 'predicted'], { cwd });
  assert.equal(status, 3);
  assert.match(stdout, /^1 +2 +0 /m);
  for (const line of [
    /c\.nii\.gz: pixdim: found a spacing of 1 x 2 x 3\.5 mm, but .* has 1 x 2 x 3 mm; a prediction must be on/,
    /^d: has no prediction .*--allow-missing/m,
    /^e: has no reference/m,
    /f\.nii\.gz: dim: found 8 x 2 x 1 voxels, but .* has 8 x 2 x 2 voxels/,
    /g\.nii\.gz: found 9 bytes/,
    /h\.nii\.gz: found a label value of 0\.5, expected a label map/,
  ])
    assert.match(stderr, line);
  assert.equal(readCsv(join(prediction, 'cases.csv')).length, 4);
});

test('what cannot be compared at all', async () => {
  const { cwd } = await twoFolders();
  const refused = (args: readonly string[]): string => {
    const { status, stdout, stderr } = lunet(['evaluate', ...args], { cwd });
    assert.equal(stdout, '');
    return `${status} ${stderr.split('\n')[0]}`;
  };
  assert.match(refused(['labelsTs', 'predicted/a.nii.gz']), /^2 .*expected two files or two folders/);
  assert.match(refused(['labelsTs', 'nowhere']), /^3 .*nowhere: no such file or folder/);
  assert.match(
    refused(['labelsTs', 'predicted', '--labels', 'a=0']),
    /^2 .*--labels: found a=0, expected names/,
  );
  assert.match(
    refused(['labelsTs', 'predicted', '--tolerance', '-1']),
    /^2 .*--tolerance: found -1, expected/,
  );
  assert.match(refused(['labelsTs', 'predicted', '--chill']), /^2 .*type: .*--allow-missing/);
  mkdirSync(join(cwd, 'other'));
  await write(join(cwd, 'other', 'z.nii.gz'), []);
  assert.match(refused(['labelsTs', 'other']), /^3 .*found no file named as one of labelsTs/);
});

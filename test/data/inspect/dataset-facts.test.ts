import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { inspectDataset } from '../../../src/data/inspect/dataset-facts.js';
import { summariseExtents, summariseLabels } from '../../../src/data/inspect/summary.js';
import { readNifti } from '../../../src/data/nifti/read.js';
import { UserError } from '../../../src/errors.js';
import { emptyFolder } from '../../cli/lunet.js';
import { middle, scaling, writeDecathlon, writeVolume } from '../volumes.js';

const folder = emptyFolder();
after(() => rmSync(folder, { recursive: true }));

const PIL = [
  [0, 0, -2, 9],
  [-3, 0, 0, 9],
  [0, -1, 0, 9],
];

describe('inspection', () => {
  it('finds what a dataset contains, in any number of threads', async () => {
    const root = join(folder, 'good');
    writeDecathlon(root, [
      { both: { size: [10, 6, 8], sform: PIL } },
      { label: { voxels: middle(2) } },
      { label: { voxels: 0 } },
    ]);
    const facts = await inspectDataset(root, { jobs: 1 });
    assert.deepEqual(await inspectDataset(root, { jobs: 3 }), facts);
    assert.deepEqual(
      [facts.layout, facts.faults, facts.channels.map(({ name }) => name)],
      ['decathlon', [], ['MRI']],
    );
    const [first] = facts.cases;
    // Stored along posterior, inferior, left with 3, 1 and 2 mm: right is the third axis.
    assert.deepEqual(first?.size, [8, 10, 6]);
    assert.deepEqual(first.spacing, [2, 3, 1]);
    assert.equal(first.orientation, 'PIL');
    assert.ok(Math.abs(first.voxelMl - 0.006) < 1e-12);
    assert.deepEqual(summariseExtents(facts.cases.map(({ size }) => size)), {
      min: [8, 8, 6],
      median: [8, 8, 8],
      max: [8, 10, 8],
    });
    const labels = summariseLabels(facts.cases, facts.labels);
    assert.deepEqual(
      labels.map(({ value, name, cases, voxels }) => [value, name, cases, voxels]),
      [
        [1, 'organ', 1, middle(1, [10, 6, 8]).filter(Boolean).length],
        [2, 'other', 1, 64],
      ],
    );
    // Against all voxels of all files, sorted.
    const of = async (part: string, i: number): Promise<number[]> => [
      ...(await readNifti(join(root, part, `case_${i}.nii.gz`))).voxels,
    ];
    const images = await Promise.all([0, 1, 2].map((i) => of('imagesTr', i)));
    const maps = await Promise.all([0, 1, 2].map((i) => of('labelsTr', i)));
    const foreground = images.flatMap((image, i) => image.filter((_, at) => (maps[i]?.[at] ?? 0) > 0));
    for (const [found, values] of [
      [facts.channels[0]?.all, images.flat()],
      [facts.channels[0]?.foreground, foreground],
    ] as const) {
      const sorted = values.sort((a, b) => a - b);
      assert.equal(found?.voxels, sorted.length);
      assert.equal(found?.percentiles['50'], sorted[Math.round(0.5 * (sorted.length - 1))]);
      assert.ok(Math.abs((found?.mean ?? NaN) - sorted.reduce((a, b) => a + b) / sorted.length) < 1e-9);
    }
    const file = join(root, 'labelsTr', 'case_0.nii.gz');
    const stamp = first.files.find((each) => each.file === file);
    assert.equal(stamp?.sha256, createHash('sha256').update(readFileSync(file)).digest('hex'));
  });

  it('finds the layout by itself', async () => {
    const root = join(folder, 'channels');
    for (const id of ['a', 'b']) {
      for (const [channel, value] of [
        ['0000', 3],
        ['0001', 40],
      ] as const)
        writeVolume(join(root, 'imagesTr', `${id}_${channel}.nii.gz`), { voxels: value, size: [4, 5, 6] });
      writeVolume(join(root, 'labelsTr', `${id}.nii.gz`), { voxels: middle(1, [4, 5, 6]), size: [4, 5, 6] });
    }
    writeFileSync(
      join(root, 'dataset.json'),
      JSON.stringify({
        channel_names: { 0: 'T1', 1: 'T2' },
        labels: { background: 0, organ: 1 },
        numTraining: 2,
        file_ending: '.nii.gz',
      }),
    );
    const facts = await inspectDataset(root);
    assert.deepEqual([facts.layout, facts.faults, facts.cases.length], ['nnunet', [], 2]);
    assert.deepEqual(
      facts.channels.map(({ name, all, foreground }) => [name, all?.mean, foreground?.max]),
      [
        ['T1', 3, 3],
        ['T2', 40, 40],
      ],
    );
    // nnU-Net's first version lists names without channels.
    const training = ['a', 'b'].map((id) => ({
      image: `./imagesTr/${id}.nii.gz`,
      label: `./labelsTr/${id}.nii.gz`,
    }));
    writeFileSync(
      join(root, 'dataset.json'),
      JSON.stringify({ modality: { 0: 'T1', 1: 'T2' }, labels: { 0: 'background', 1: 'organ' }, training }),
    );
    assert.equal((await inspectDataset(root)).layout, 'nnunet');
    const plain = join(folder, 'plain');
    mkdirSync(plain);
    await assert.rejects(
      inspectDataset(plain),
      (error) =>
        error instanceof UserError &&
        error.message.startsWith(`${plain}: found nothing, expected a dataset.json`),
    );
    renameSync(join(root, 'imagesTr'), join(plain, 'images'));
    renameSync(join(root, 'labelsTr'), join(plain, 'labels'));
    const folders = await inspectDataset(plain);
    assert.deepEqual(
      [folders.layout, folders.labels, folders.channels.map(({ name }) => name)],
      ['folders', undefined, ['channel 0', 'channel 1']],
    );
  });

  it('lays a label along its image where they are stored in different orientations', async () => {
    const root = join(folder, 'turned');
    // The label of the left half, stored from right to left and from left to right.
    const left = Array.from({ length: 512 }, (_, i) => (i % 8 < 4 ? 1 : 0));
    const image = { voxels: left.map((value) => 10 * value), sform: scaling([1, 1, 1]) };
    const flipped = [
      [-1, 0, 0, 7],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
    ];
    writeDecathlon(root, [
      { image, label: { voxels: left, sform: scaling([1, 1, 1]) } },
      { image, label: { voxels: left.map((value) => 1 - value), sform: flipped } },
    ]);
    const facts = await inspectDataset(root);
    assert.deepEqual(facts.faults, []);
    assert.deepEqual([facts.channels[0]?.foreground?.min, facts.channels[0]?.foreground?.voxels], [10, 512]);
  });

  it('names the faults of all files, and tells of the good ones', async () => {
    const root = join(folder, 'bad');
    writeDecathlon(root, [
      {},
      { image: { type: 'float32', voxels: Array.from({ length: 512 }, (_, i) => (i === 9 ? NaN : 1)) } },
      { label: { type: 'float32', voxels: 0.5 } },
      { label: { sform: scaling([2, 1, 1]) } },
      {},
      {},
      {},
    ]);
    truncateSync(join(root, 'imagesTr/case_4.nii.gz'), 60);
    truncateSync(join(root, 'labelsTr/case_4.nii.gz'), 60);
    rmSync(join(root, 'labelsTr/case_5.nii.gz'));
    const facts = await inspectDataset(root);
    assert.deepEqual(
      facts.cases.map(({ id }) => id),
      ['case_0', 'case_6'],
    );
    assert.equal(facts.channels[0]?.all?.voxels, 1024);
    const said = facts.faults.map((fault) => fault.replaceAll(root, ''));
    assert.equal(said.length, 6, said.join('\n'));
    assert.match(said[0] ?? '', /training\[5\]\.label: found \.\/labelsTr\/case_5\.nii\.gz: no such file/);
    assert.equal(
      said[1],
      '/imagesTr/case_1.nii.gz: found 1 voxel that are NaN, infinite or beyond float32, expected finite numbers',
    );
    assert.equal(
      said[2],
      '/labelsTr/case_2.nii.gz: found label values 0.5 (512 voxels), expected whole numbers',
    );
    assert.match(
      said[3] ?? '',
      /^\/labelsTr\/case_3\.nii\.gz: pixdim: found a spacing of 2 x 1 x 1 mm, but \/imagesTr\/case_3/,
    );
    assert.match(said[4] ?? '', /^\/imagesTr\/case_4\.nii\.gz: the gzip stream is damaged or truncated/);
    assert.match(said[5] ?? '', /^\/labelsTr\/case_4\.nii\.gz: the gzip stream is damaged or truncated/);
  });
});

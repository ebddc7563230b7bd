// A complete dataset: which cases are read, warnings about them, and the cache at a second start.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { type Dataset, inSplit, loadDataset } from '../../src/data/dataset.js';
import { UserError } from '../../src/errors.js';
import { BIN, plainEnvironment } from '../cli/lunet.js';
import {
  type CaseOptions,
  type Triple,
  type VolumeOptions,
  experimentOn,
  middle,
  scaling,
  writeDecathlon,
} from './volumes.js';

const folder = mkdtempSync(join(tmpdir(), 'lunet-dataset-'));
after(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  process.env['LUNET_CACHE'] = 'off';
});

let roots = 0;
/** The dataset of these cases, with settings as --set takes them. */
function load(cases: readonly CaseOptions[], ...settings: string[]): Promise<Dataset> {
  const root = join(folder, `data${roots++}`);
  writeDecathlon(root, cases);
  return loadDataset(experimentOn(root, ...settings), { jobs: 1 });
}

async function complaint(loading: Promise<unknown>): Promise<string> {
  try {
    await loading;
  } catch (error) {
    assert.ok(error instanceof UserError, String((error as Error).stack));
    assert.equal(error.kind, 'data');
    return error.message.replaceAll(folder, 'DIR');
  }
  return 'accepted';
}

const matching = ({ warnings }: Dataset, what: RegExp): string[] =>
  warnings.filter((warning) => what.test(warning));

const hashOf = ({ hashes }: Dataset): string | undefined => hashes.get('default');

const LISTED = 'dataset.split={train: [case_0, case_1], test: [case_2]}';
const BAD: CaseOptions = { label: { voxels: new Array<number>(512).fill(9) } };

describe('the spacing of the training grid', () => {
  const both = { sform: scaling([1, 2, 2.5]) };
  const cases: CaseOptions[] = [{ both }, { both }, { both }];
  it('is that of the file, along the axes as they are laid', async () => {
    assert.deepEqual((await load(cases, LISTED)).spacing('case_2'), [1, 2, 2.5]);
  });
  it('keeps the extent of what is resampled to whole voxels', async () => {
    // 8 voxels of 1, 2, 2.5 mm are 8, 16, 20 mm: 3, 5 and 7 voxels of about 3 mm.
    const { spacing } = await load(cases, LISTED, 'preprocessing.spacing=[3, 3, 3]');
    assert.deepEqual(spacing('case_2'), [8 / 3, 16 / 5, 20 / 7]);
    assert.throws(() => spacing('case_3'), RangeError);
  });
  it('belongs to the data where distances are measured', async () => {
    const wider: CaseOptions[] = [{ both }, { both }, { both: { sform: scaling([1, 2, 3]) } }];
    const hash = async (of: CaseOptions[], ...metrics: string[]) =>
      hashOf(await load(of, LISTED, ...metrics));
    assert.equal(await hash(wider), await hash(cases));
    assert.notEqual(await hash(wider, 'metrics=[hd95]'), await hash(cases, 'metrics=[hd95]'));
  });
});

describe('the hash of folds', () => {
  const cases: CaseOptions[] = [{}, {}, {}];
  it('is that of the voxels of all cases, however they are divided; other splits have none', async () => {
    const hash = async (of: CaseOptions[], ...settings: string[]) => (await load(of, ...settings)).foldsHash;
    const three = await hash(cases, 'dataset.split={folds: 3}');
    assert.match(three ?? '', /^[0-9a-f]{64}$/);
    assert.equal(await hash(cases, 'dataset.split={folds: 2, seed: 5}'), three);
    const edited = { image: { voxels: new Array<number>(512).fill(3).fill(4, 256) } };
    assert.notEqual(await hash([{}, {}, edited], 'dataset.split={folds: 3}'), three);
    assert.equal(await hash(cases, LISTED), undefined);
  });
});

describe('constants of ct', () => {
  // Of 6 x 8 x 8 voxels, padded to 8 x 8 x 8: the foreground of each case has one value, other voxels have another.
  const size = [6, 8, 8] as const;
  const valued = (value: number): CaseOptions => ({
    both: { size },
    image: { voxels: middle(value, size).map((found) => (found === 0 ? 1000 : found)) },
  });
  const cases = [valued(10), valued(20), valued(60), valued(70)];
  const splits =
    'dataset.splits={a: {train: [case_0, case_1], test: [case_2]}, b: {train: [case_1, case_2], test: [case_3]}}';
  const ct = 'preprocessing.normalisation=ct';
  const loadSplits = (of: CaseOptions[], ...more: string[]) => load(of, 'dataset.split=', splits, ...more);

  it('are those of the foreground of the training cases of each split', async () => {
    const { normalisation, hashes } = await loadSplits(cases, ct);
    assert.deepEqual(normalisation.get('a'), { clip: [10, 20], mean: 15, deviation: 5 });
    assert.deepEqual(normalisation.get('b'), { clip: [20, 60], mean: 40, deviation: 20 });
    const other = await loadSplits([...cases.slice(0, 2), valued(99), valued(70)], ct);
    assert.deepEqual(other.normalisation.get('a'), normalisation.get('a'), 'whatever a test case has');
    const plain = await loadSplits(cases, 'preprocessing.normalisation=none');
    assert.notEqual(
      hashes.get('a'),
      plain.hashes.get('a'),
      'the voxels are the same, but a network sees others',
    );
    assert.deepEqual(plain.normalisation.get('a'), 'none');
  });
  it('are applied to the samples of a split, not to padding, and leave those of others alone', async () => {
    const dataset = await loadSplits(cases, ct);
    const [a, b] = [inSplit(dataset, 'a'), inSplit(dataset, 'b')];
    const valuesOf = ({ image }: { image: Float32Array }): number[] =>
      [...new Set(image)].sort((x, y) => x - y);
    // Background of 1000 is clipped to 20: (20 - 15) / 5 = 1; padding is 0.
    assert.deepEqual(valuesOf(a.sample('case_0')), [-1, 0, 1]);
    assert.equal(a.sample('case_0').image.filter((value) => value === 0).length, 2 * 8 * 8);
    assert.deepEqual(valuesOf(b.sample('case_1')), [-1, 0, 1]);
    assert.deepEqual(valuesOf(a.sample('case_1')), [0, 1]);
    assert.deepEqual(valuesOf(dataset.sample('case_0')), [0, 10, 1000]);
    const plain = await loadSplits(cases);
    assert.equal(inSplit(plain, 'a'), plain, 'nothing is copied where nothing is fitted');
  });
  it('come out of the cache as well', async () => {
    process.env['LUNET_CACHE'] = join(folder, 'ct-cache');
    const root = join(folder, `data${roots++}`);
    writeDecathlon(root, cases);
    const config = experimentOn(root, 'dataset.split=', splits, ct);
    const first = await loadDataset(config, { jobs: 1 });
    const again = await loadDataset(config, { jobs: 1 });
    assert.equal(readdirSync(join(folder, 'ct-cache')).length, 1);
    assert.deepEqual([...again.normalisation], [...first.normalisation]);
    assert.deepEqual([...again.hashes], [...first.hashes]);
  });
  it('for a list of normalisations need one for each channel', async () => {
    assert.match(
      await complaint(load(cases, LISTED, 'preprocessing.normalisation=[ct, ct]')),
      /case_0\.nii\.gz: found 1 channel, but preprocessing\.normalisation has 2 entries, expected one for each/,
    );
    const { normalisation } = await load(cases, LISTED, 'preprocessing.normalisation=[ct]');
    assert.deepEqual(normalisation.get('default'), [{ clip: [10, 20], mean: 15, deviation: 5 }]);
  });
});

describe('cases that no split uses', () => {
  it('are not read: they stop nothing, count for nothing, and nobody is warned of them', async () => {
    const good = await load([{}, {}, {}], LISTED);
    const more = await load([{}, {}, {}, BAD, { both: { sform: scaling([9, 9, 9]) } }], LISTED);
    assert.deepEqual(more.ids, ['case_0', 'case_1', 'case_2']);
    assert.equal(hashOf(more), hashOf(good));
    assert.deepEqual(more.warnings, []);
    assert.throws(() => more.sample('case_3'), RangeError);
  });
  it('are those that no count draws', async () => {
    const dataset = await load([{}, {}, {}, {}, {}, {}]);
    const { train, test } = dataset.splits.get('default') ?? { train: [], test: [] };
    assert.deepEqual([...dataset.ids].sort(), [...train, ...test].sort());
    const drawn = new Set(dataset.ids);
    const cases = Array.from({ length: 6 }, (_, i) => (drawn.has(`case_${i}`) ? {} : BAD));
    assert.equal(hashOf(await load(cases)), hashOf(dataset));
  });
  it('of several splits are those that are in none', async () => {
    const splits =
      'dataset.splits={a: {train: [case_0], test: [case_1]}, b: {train: [case_1, case_3], test: [case_0]}}';
    const dataset = await load([{}, {}, BAD, {}], 'dataset.split=', splits);
    assert.deepEqual(dataset.ids, ['case_0', 'case_1', 'case_3']);
    assert.match(
      await complaint(load([{}, {}, {}, BAD], 'dataset.split=', splits)),
      /case_3.*label values 9/,
    );
  });
  it('are still known to those who misspell one', async () => {
    const loading = load([{}, {}, {}, {}], 'dataset.split={train: [case_0], test: [cas_3]}');
    assert.match(await complaint(loading), /there is no case cas_3 \(did you mean case_3\?\)/);
  });
  it('of phantoms are not made', async () => {
    const root = join(folder, 'phantoms');
    const phantoms = ['dataset={layout: phantom, phantom: {cases: 9, size: 8}, labels: {organ: [1, 2]}, split: {train: 2, test: 1}}']; // prettier-ignore
    assert.equal((await loadDataset(experimentOn(root, ...phantoms))).ids.length, 3);
  });
});

describe('files that are bad', () => {
  it('are named all at once, a line each', async () => {
    const lines = (await complaint(load([BAD, {}, BAD], LISTED))).split('\n');
    assert.equal(lines.length, 2);
    assert.match(
      lines[0] as string,
      /^DIR\/data\d+\/labelsTr\/case_0\.nii\.gz: found label values 9 \(512 voxels\)/,
    );
    assert.match(lines[1] as string, /case_2/);
  });
  it('that may not be read are said to be just that', { skip: process.platform === 'win32' }, () => {
    const root = join(folder, 'forbidden');
    writeDecathlon(root, [{}, {}, {}]);
    experimentOn(root);
    chmodSync(folder, 0o755);
    const other = (): { status: number | null; stderr: string } =>
      spawnSync(
        process.execPath,
        [BIN, 'train', `${root}.yaml`, '--set', `output=${join(tmpdir(), 'none')}`],
        {
          encoding: 'utf8',
          cwd: folder,
          env: plainEnvironment({ LUNET_CACHE: 'off', LUNET_THREADS: '1', HOME: '/nonexistent' }),
          // Root may read everything.
          ...(process.getuid?.() === 0 && { uid: 65534, gid: 65534 }),
        },
      );
    for (const part of ['', 'dataset.json', 'imagesTr', 'labelsTr/case_1.nii.gz']) {
      const path = join(root, part);
      chmodSync(path, 0);
      const { status, stderr } = other();
      chmodSync(path, part.includes('.') ? 0o644 : 0o755);
      assert.equal(status, 3, stderr);
      const errors = stderr.split('\n').filter((line) => /denied|no such|bug/.test(line));
      assert.ok(errors.length > 0 && errors.every((line) => /: permission denied/.test(line)), stderr);
      assert.doesNotMatch(stderr, /bug in lunet|no such/);
    }
  });
});

describe('files of a case that are stored in different orientations', () => {
  const BODY = [4, 6, 8] as const;
  /** A volume of the body along right, anterior, superior, stored with other axes: `order` of the body's, some reversed. */
  function stored(
    valueAt: (r: number, a: number, s: number) => number,
    order: Triple,
    reversed: readonly [boolean, boolean, boolean],
    shift = 0,
  ): VolumeOptions {
    const size = order.map((axis) => BODY[axis]) as unknown as Triple;
    const voxels: number[] = [];
    for (let k = 0; k < size[2]; k++)
      for (let j = 0; j < size[1]; j++)
        for (let i = 0; i < size[0]; i++) {
          const place = [0, 0, 0];
          for (const [at, index] of [i, j, k].entries())
            place[order[at] as number] = reversed[at] ? (size[at] as number) - 1 - index : index;
          voxels.push(valueAt(...(place as [number, number, number])));
        }
    // Voxels are 1 x 1.5 x 2 mm of the body; its first voxel lies at (-20, 10, 5).
    const sform = [0, 1, 2].map((axis) => {
      const at = order.indexOf(axis);
      const mm = [1, 1.5, 2][axis] as number;
      const row = [0, 0, 0, ([-20, 10, 5][axis] as number) + shift];
      row[at] = reversed[at] ? -mm : mm;
      if (reversed[at]) row[3] = (row[3] as number) + ((BODY[axis] as number) - 1) * mm;
      return row;
    });
    return { size, voxels, sform };
  }
  const brightness = (r: number, a: number, s: number): number => r + 10 * a + s * s;
  const inside = (r: number, a: number, s: number): number => Number(r >= 1 && a < 4 && s > 2);
  const straight = [false, false, false] as const;
  const ras = { image: stored(brightness, [0, 1, 2], straight), label: stored(inside, [0, 1, 2], straight) };
  // The image as PIR, the label as LAS.
  const image = stored(brightness, [1, 2, 0], [true, true, false]);
  const mixed = { image, label: stored(inside, [0, 1, 2], [true, false, false]) };

  it('are laid alike if they lie in the same space', async () => {
    const expected = await load([ras, ras, ras], LISTED);
    const dataset = await load([mixed, ras, mixed], LISTED);
    assert.equal(hashOf(dataset), hashOf(expected));
    assert.deepEqual(dataset.warnings, []);
    assert.equal(
      hashOf(await load([mixed, ras, mixed], LISTED, 'dataset.affineMismatch=ignore')),
      hashOf(expected),
    );
  });
  it('are laid along the image where orientations are kept', async () => {
    const both = { image, label: stored(inside, [1, 2, 0], [true, true, false]) };
    const keep = [LISTED, 'preprocessing.orientation=keep'];
    assert.equal(
      hashOf(await load([mixed, mixed, mixed], ...keep)),
      hashOf(await load([both, both, both], ...keep)),
    );
  });
  it('are refused if they lie elsewhere all the same', async () => {
    const elsewhere = { image: ras.image, label: stored(inside, [0, 1, 2], [true, false, false], 0.5) };
    assert.match(
      await complaint(load([elsewhere, ras, ras], LISTED)),
      /labelsTr\/case_0\.nii\.gz: affine: found voxels up to/,
    );
  });
});

describe('a label on another grid than its image', () => {
  const shifted = { label: { sform: scaling([0.7, 0.7, 2.5]) } };
  it('by spacing or place is refused, and the message names the key', async () => {
    const message = await complaint(load([shifted, {}, {}]));
    assert.match(message, /pixdim: found a spacing of 0\.7 x 0\.7 x 2\.5 mm, but .* has 1 x 1 x 1 mm \(.*dataset\.affineMismatch: ignore\)/); // prettier-ignore
    const moved = { label: { sform: scaling([1, 1, 1]).map((row, i) => [...row.slice(0, 3), 5 * i]) } };
    assert.match(await complaint(load([moved, {}, {}])), /affine: .*dataset\.affineMismatch: ignore/);
  });
  it("is used if told so, on the image's grid, with a count", async () => {
    const ignore = 'dataset.affineMismatch=ignore';
    const resampled = 'preprocessing.spacing=[1, 1, 1]';
    const dataset = await load([shifted, shifted, {}], ignore, resampled);
    const lines = matching(dataset, /affine or spacing/);
    assert.equal(lines.length, 1);
    assert.match(lines[0] as string, /^case_0 and 1 more case: .*the grid of the first image is used/);
    assert.equal(hashOf(dataset), hashOf(await load([{}, {}, {}], ignore, resampled)));
  });
  it('of another size is refused whatever is told', async () => {
    const other = { label: { size: [8, 8, 9] as const, voxels: middle(1, [8, 8, 9]) } };
    assert.match(
      await complaint(load([other, {}, {}], 'dataset.affineMismatch=ignore')),
      /dim: found 8 x 8 x 9/,
    );
  });
  it('in another unit of length may be on the same', async () => {
    const both = {
      image: { sform: scaling([0.5, 0.5, 0.5]) },
      label: { sform: scaling([500, 500, 500]), units: 3 },
    };
    assert.equal(await complaint(load([both, both, both])), 'accepted');
  });
});

describe('label values that no output names', () => {
  const two = (i: number): CaseOptions => ({
    label: { voxels: middle().map((value, at) => (at < 3 ? 2 : at === 5 && i === 0 ? 7 : value)) },
  });
  const cases = [two(0), two(1), two(2)];
  it('are background where dataset.json names them, with a warning; others are refused', async () => {
    const dataset = await load([two(1), two(1), two(2)]);
    assert.deepEqual(matching(dataset, /without an output/), [
      'label values without an output count as background (dataset.others): 2 (9 voxels in 3 cases)',
    ]);
    assert.deepEqual([...dataset.sample('case_0').label], middle());
    assert.match(
      await complaint(load(cases)),
      /case_0.*found label values 7 \(1 voxels\), expected 0 or one of/,
    );
  });
  it('are all refused if told so, and the message names the key', async () => {
    const message = await complaint(load(cases, 'dataset.others=error'));
    assert.match(message, /case_0.*found label values 2 \(3 voxels\), 7 \(1 voxels\), expected 0 or one of dataset\.labels: 1 \(.*dataset\.others: background\)/); // prettier-ignore
  });
  it('are background if told so, with one warning', async () => {
    const dataset = await load(cases, 'dataset.others=background');
    assert.deepEqual(matching(dataset, /without an output/), [
      'label values without an output count as background (dataset.others): 2 (9 voxels in 3 cases), 7 (1 voxels in 1 cases)',
    ]);
    assert.deepEqual([...dataset.sample('case_0').label], middle());
  });
  it('that are no whole numbers are refused whatever is told', async () => {
    const half = { label: { type: 'float32' as const, voxels: middle(0.5) } };
    assert.match(
      await complaint(load([half, {}, {}], 'dataset.others=background')),
      /found label values 0\.5 \(64 voxels\), expected whole numbers/,
    );
  });
  it('may be negative', async () => {
    const ignored = { label: { type: 'int16' as const, voxels: middle().map((value) => value || -1) } };
    const dataset = await load([ignored, {}, {}], 'dataset.others=background');
    assert.deepEqual([...dataset.sample('case_0').label], middle());
  });
});

describe('labels that cropping cuts off', () => {
  // All 8 x 8 x 8 voxels are labelled; cropping leaves 6 x 8 x 8 or 8 x 8 x 8 of them.
  const full = { label: { voxels: 1 } };
  it('are counted by split and part, and warned of once', async () => {
    const dataset = await load([full, {}, full], LISTED, 'preprocessing.size=[6, 8, 8]');
    const cut = dataset.cutOff.get('default');
    assert.deepEqual(cut?.train, {
      cases: 1,
      worst: { id: 'case_0', voxels: 128, total: 512 },
      voxels: 128,
      total: 512 + 64,
    });
    assert.deepEqual(cut?.test, {
      cases: 1,
      worst: { id: 'case_2', voxels: 128, total: 512 },
      voxels: 128,
      total: 512,
    });
    assert.deepEqual(cut?.validation, { cases: 0, voxels: 0, total: 0 });
    assert.deepEqual(matching(dataset, /cut off/), [
      'cropping to preprocessing.size cut off 256 of 1088 labelled voxels (24 %) in 2 of 3 cases, most of case_0 (25 %): ' +
        'no Dice counts them; set a larger preprocessing.size',
    ]);
  });
  it('are none where the size suffices', async () => {
    const dataset = await load([full, full, full], LISTED, 'preprocessing.size=[8, 8, 16]');
    assert.equal(dataset.cutOff.get('default')?.test.voxels, 0);
    assert.deepEqual(dataset.warnings, []);
  });
  it('are counted after resampling, over all of several outputs', async () => {
    const dataset = await load(
      [{ label: { voxels: middle(2).map((value) => value || 1) } }, full, full],
      LISTED,
      'dataset.labels={organ: 1, other: [1, 2]}',
      'preprocessing.spacing=[2, 1, 1]',
      'preprocessing.size=[2, 8, 8]',
    );
    assert.deepEqual(dataset.cutOff.get('default')?.test, {
      cases: 1,
      worst: { id: 'case_2', voxels: 128, total: 256 },
      voxels: 128,
      total: 256,
    });
  });
});

describe('what differs among cases', () => {
  const LPS = { both: { sform: [[-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 1, 0]] } }; // prettier-ignore
  const SRA = { both: { sform: [[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0]] } }; // prettier-ignore
  const spaced = (...spacing: [number, number, number]): CaseOptions => ({
    both: { sform: scaling(spacing) },
  });
  const five = 'dataset.split={train: 4, test: 1}';

  const keep = 'preprocessing.orientation=keep';
  it('orientations, with counts and cases, where volumes are left as they are stored', async () => {
    const dataset = await load([{}, LPS, {}, SRA, LPS], five, keep);
    assert.deepEqual(
      dataset.warnings.map((warning) => warning.split(':', 2).join(':')),
      ['orientations differ: 2 cases RAS, 2 LPS (case_1, case_4), 1 SRA (case_3)'],
    );
    assert.deepEqual((await load([LPS, LPS, LPS, LPS, LPS], five, keep)).warnings, []);
  });
  it('no orientations where they are turned alike: image, label, and what is kept of the ranges', async () => {
    const voxels = Array.from({ length: 512 }, (_, at) => at);
    const cases = [{}, LPS, {}, SRA, LPS].map((one): CaseOptions => ({ ...one, image: { voxels } }));
    const none = 'preprocessing.normalisation=none';
    const [turned, kept] = [await load(cases, five, none), await load(cases, five, none, keep)];
    assert.deepEqual(turned.warnings, []);
    const ranges = turned.ranges.get('default');
    assert.deepEqual(ranges?.intensity, [{ min: 0, max: 511 }]);
    assert.ok(ranges?.orientations.includes('LPS'));
    const [ras, lps, sra] = ['case_0', 'case_1', 'case_3'].map((id) => turned.sample(id).image);
    assert.deepEqual(ras, kept.sample('case_0').image);
    // LPS: both in-plane axes are reversed. SRA: right, anterior, superior are stored along y, z, x.
    assert.deepEqual(lps?.slice(0, 64), ras?.slice(0, 64).reverse());
    assert.deepEqual([sra?.[1], sra?.[8], sra?.[64]], [8, 64, 1]);
    assert.deepEqual([...turned.sample('case_3').label].sort(), [...kept.sample('case_3').label].sort());
    assert.notDeepEqual(kept.sample('case_1').image, turned.sample('case_1').image);
  });
  it('spacings by more than 10 %, unless all are resampled', async () => {
    const cases = [
      spaced(1, 1, 3),
      spaced(1, 1, 3.3),
      spaced(0.9, 1, 3.01),
      spaced(1, 1, 3),
      spaced(1, 1, 5),
    ];
    const dataset = await load(cases, five);
    assert.equal(dataset.warnings.length, 1);
    assert.match(dataset.warnings[0] as string, /^spacings differ by more than 10 %: x 0\.9 to 1, y 1, z 3 to 5 mm, 2 of 5 cases far from the median \(case_2, case_4\): .*preprocessing\.spacing: \[1, 1, 3\.01\]$/); // prettier-ignore
    assert.deepEqual(matching(await load(cases, five, 'preprocessing.spacing=[1, 1, 3]'), /spacing/), []);
  });
  it('spacings by less, without a warning', async () => {
    const near = [
      spaced(1, 1, 3),
      spaced(1.1, 1, 3.3),
      spaced(1, 1, 3),
      spaced(1.05, 1, 3.1),
      spaced(1, 1, 3),
    ];
    assert.deepEqual((await load(near, five)).warnings, []);
  });
  it('the shape of voxels, where every axis by itself differs by less', async () => {
    const shapes = [
      spaced(1, 1, 1),
      spaced(1.08, 1, 1),
      spaced(1, 1.08, 1),
      spaced(1, 1, 1),
      spaced(1, 1, 1),
    ];
    assert.match((await load(shapes, five)).warnings.join(), /^spacings differ by more than 10 %: x 1 to 1\.08, y 1 to 1\.08/); // prettier-ignore
  });
  it('2D among 3D', async () => {
    const flat: CaseOptions = { both: { size: [8, 8, 1] }, label: { voxels: 1 } };
    const dataset = await load([{}, flat, {}, {}, flat], five);
    assert.match(
      matching(dataset, /2D/).join(),
      /^dimensions differ: 2 of 5 cases are 2D, .*\(case_1, case_4\)/,
    );
    assert.deepEqual(matching(await load([flat, flat, flat]), /2D/), []);
  });
  it('with five cases named at most', async () => {
    const cases = Array.from({ length: 20 }, (_, i) => (i < 8 ? LPS : {}));
    assert.match(
      (await load(cases, 'dataset.split={train: 10, test: 10}', keep)).warnings.join(),
      /12 cases RAS, 8 LPS \(case_0, case_1, case_2, case_3, case_4 and 3 more\)/,
    );
  });
});

describe('a volume too large for memory', () => {
  it('after resampling is named with its spacing and size, before it is made', async () => {
    const micro: CaseOptions = { both: { sform: scaling([500, 500, 500]) } };
    const message = await complaint(load([micro, micro, micro], 'preprocessing.spacing=[1, 1, 1]'));
    const lines = message.split('\n');
    assert.equal(lines.length, 3);
    assert.match(lines[0] as string, /^DIR\/data\d+\/imagesTr\/case_0\.nii\.gz: 8 x 8 x 8 voxels of 500 x 500 x 500 mm, resampled to preprocessing\.spacing 1 x 1 x 1 mm, become 4000 x 4000 x 4000 voxels, which are 64000000000 numbers, expected at most 4294967296, .*; check pixdim and xyzt_units/); // prettier-ignore
    assert.match(
      await complaint(load([{}, {}, {}], 'preprocessing.spacing=[1e-200, 1, 1]')),
      /become 8e\+200 x 8 x 8 voxels, expected at most 1000000 along an axis; check/,
    );
  });
  it('that honours its unit is not too large', async () => {
    const micro: CaseOptions = { both: { sform: scaling([500, 500, 500]), units: 3 } };
    const dataset = await load(
      [micro, micro, micro],
      'preprocessing.spacing=[1, 1, 1]',
      'preprocessing.size=[4, 4, 4]',
    );
    assert.deepEqual(dataset.warnings, []);
  });
  it('along an axis only is told when it comes down to a single voxel', async () => {
    const dataset = await load(
      [{}, {}, {}],
      'preprocessing.spacing=[100, 1, 1]',
      'preprocessing.size=[2, 8, 8]',
    );
    assert.match(
      matching(dataset, /single voxel/).join(),
      /^case_0 and 2 more cases: preprocessing\.spacing leaves/,
    );
  });
});

describe('the cache', () => {
  it('gives the same dataset, warnings and counts included, and knows what it depends on', async () => {
    process.env['LUNET_CACHE'] = join(folder, 'cache');
    const cases: CaseOptions[] = [
      { label: { voxels: 1 } },
      { both: { sform: scaling([2, 1, 1]) }, label: { voxels: 2 } },
      { both: { sform: [[-1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]] } }, // prettier-ignore
      BAD,
    ];
    const root = join(folder, 'cached');
    writeDecathlon(root, cases);
    const settings = [
      LISTED,
      'dataset.others=background',
      'preprocessing={size: [6, 8, 8], orientation: keep}',
    ];
    const config = experimentOn(root, ...settings);
    const steps: number[] = [];
    const facts = async (): Promise<unknown> => {
      const { ids, hashes, warnings, cutOff, splits } = await loadDataset(config, {
        progress: (done) => steps.push(done),
      });
      return { ids, hashes: [...hashes], warnings, cutOff: [...cutOff], splits: [...splits] };
    };
    const first = await facts();
    assert.equal((first as Dataset).warnings.length, 5, (first as Dataset).warnings.join('\n'));
    assert.equal(readdirSync(join(folder, 'cache')).length, 1);
    assert.deepEqual(await facts(), first);
    assert.equal(readdirSync(join(folder, 'cache')).length, 1);
    assert.deepEqual(steps, [1, 2, 3, 1, 2, 3]);
    // If a case outside of all splits changes, the others are not read again; if a setting changes, they are.
    writeFileSync(join(root, 'labelsTr', 'case_3.nii.gz'), 'nothing');
    assert.deepEqual(await facts(), first);
    assert.equal(readdirSync(join(folder, 'cache')).length, 1);
    const strict = experimentOn(root, ...settings, 'dataset.others=error');
    await assert.rejects(loadDataset(strict), /dataset\.others: background/);
  });
  it('is where LUNET_CACHE says, the home folder by its sign', async () => {
    const home = process.env['HOME'];
    process.env['HOME'] = join(folder, 'home');
    try {
      process.env['LUNET_CACHE'] = '~/kept';
      await load([{}, {}, {}]);
      assert.equal(readdirSync(join(folder, 'home', 'kept')).length, 1);
      process.env['LUNET_CACHE'] = '~someone/kept';
      await assert.rejects(load([{}, {}, {}]), /^UserError: LUNET_CACHE: found ~someone\/kept, expected a path; only ~\//); // prettier-ignore
    } finally {
      process.env['HOME'] = home;
    }
  });
  it('that cannot be written is a warning that says why', async () => {
    writeFileSync(join(folder, 'file'), '');
    process.env['LUNET_CACHE'] = join(folder, 'file', 'cache');
    const { warnings } = await load([{}, {}, {}]);
    assert.match(warnings.join(), /the cache was not written: a part of the path is a file, not a folder/);
  });
});

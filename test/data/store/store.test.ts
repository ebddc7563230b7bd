// Prepared cases in files: found again, made anew when damaged, by several processes, without a cache folder.

import assert from 'node:assert/strict';
import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { type Dataset, loadDataset } from '../../../src/data/dataset.js';
import { UserError } from '../../../src/errors.js';
import { type CaseOptions, experimentOn, scaling, writeDecathlon } from '../volumes.js';

const folder = mkdtempSync(join(tmpdir(), 'lunet-store-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const PATCH = 'training.patch={size: [4, 4, 4]}';
const CASES: CaseOptions[] = [
  { both: { size: [9, 6, 5] } },
  { both: { size: [6, 7, 8], sform: scaling([2, 1, 1]) } },
  { both: { size: [8, 8, 8] } },
];
const root = join(folder, 'data');
writeDecathlon(root, CASES);
const own = 'preprocessing={}';

let caches = 0;
let cache = '';
beforeEach(() => {
  cache = join(folder, `cache${caches++}`);
  process.env['LUNET_CACHE'] = cache;
});

const load = (jobs = 1, ...settings: string[]): Promise<Dataset> =>
  loadDataset(experimentOn(root, own, PATCH, ...settings), { jobs });
const files = (): string[] => readdirSync(cache).map((name) => join(cache, name));
const written = (): number[] => files().map((path) => statSync(path).ino);

async function contents({ ids, hashes, caseAt, positions, grid }: Dataset): Promise<unknown> {
  const cases = await Promise.all(ids.map(caseAt));
  return [hashes, cases, ids.map(positions), ids.map(grid)];
}

describe('cases that keep their size', () => {
  it('lie in one file each, are found again and changed with their settings', async () => {
    const first = await load();
    assert.deepEqual(first.ids.map(first.grid), [[9, 6, 5], [6, 7, 8], [8, 8, 8]]); // prettier-ignore
    assert.deepEqual(first.size, [4, 4, 4]);
    const { size, label } = await first.caseAt('case_0');
    assert.deepEqual(size, [5, 6, 9], 'as engines count');
    assert.equal(label.length, 9 * 6 * 5);
    assert.throws(() => first.sample('case_0'), /not in memory/);
    const before = written();
    assert.equal(before.length, 3);
    assert.deepEqual(await contents(await load(2)), await contents(first));
    assert.deepEqual(written(), before, 'nothing was written again');
    const other = await load(1, 'preprocessing.spacing=[1, 1, 1]');
    assert.deepEqual(other.grid('case_1'), [12, 7, 8]);
    assert.notDeepEqual(other.hashes, first.hashes);
    assert.equal(files().length, 6);
  });
  it('that are damaged are prepared again', async () => {
    const whole = await contents(await load());
    const damages: ((path: string) => void)[] = [
      (path) => truncateSync(path, statSync(path).size - 5),
      // A byte of the head, of the voxels, and of the positions.
      ...[50, -700, -2].map((at) => (path: string) => {
        const bytes = readFileSync(path);
        const place = at < 0 ? bytes.length + at : at;
        bytes[place] = (bytes[place] as number) ^ 1;
        writeFileSync(path, bytes);
      }),
      (path) => writeFileSync(path, 'too short'),
      (path) => rmSync(path),
    ];
    for (const damage of damages) {
      const [path] = files() as [string];
      damage(path);
      assert.deepEqual(await contents(await load()), whole);
      const mended = statSync(path).ino;
      await load();
      assert.equal(statSync(path).ino, mended);
    }
  });
  it('may be written by several processes at the same time', async () => {
    const all = await Promise.all([load(2), load(2), load(1)].map(async (found) => contents(await found)));
    assert.deepEqual(all[0], all[1]);
    assert.deepEqual(all[0], all[2]);
    assert.equal(files().length, 3, 'no temporary file is left');
  });
  it('stay readable without a cache folder, which leaves nothing behind', async () => {
    const kept = await contents(await load());
    process.env['LUNET_CACHE'] = 'off';
    const temporary = join(folder, 'temporary');
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = mkdtempSync(temporary);
    try {
      const found = await load();
      assert.deepEqual(readdirSync(process.env['TMPDIR']), []);
      assert.deepEqual(await contents(found), kept);
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    }
  });
  it('that cannot be stored are an error of the disk that says what to do', async () => {
    writeFileSync(join(folder, 'file'), '');
    process.env['LUNET_CACHE'] = join(folder, 'file', 'cache');
    await assert.rejects(load(), (error: unknown) => {
      assert.ok(error instanceof UserError && error.kind === 'disk', String(error));
      assert.match(error.message, /cannot be stored: a part of the path is a file.*LUNET_CACHE=DIR/);
      return true;
    });
  });
  it('are checked against the size of patches', async () => {
    const split = 'dataset.split={train: [case_0, case_1], test: [case_2]}';
    const refused = (size: string): Promise<unknown> =>
      assert.rejects(load(1, split, `training.patch.size=${size}`), (error: unknown) => {
        assert.ok(error instanceof UserError && error.kind === 'usage');
        assert.match(error.message, /training\.patch\.size\.1: found 12 voxels along y.* has 7 .*at most 8$/);
        return true;
      });
    await refused('[4, 12, 4]');
    // Up to the multiple that the levels need, and beyond the size of single cases, patches are padded.
    await load(1, split, 'training.patch.size=[8, 8, 8]');
  });
});

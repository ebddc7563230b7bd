import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type CaseSource, prepareCase } from '../../src/data/case.js';
import { listCases } from '../../src/data/layouts/index.js';
import { prepareCases } from '../../src/data/prepare.js';
import { ShortOfMemory, roomWithin } from '../../src/data/room.js';
import { UserError } from '../../src/errors.js';
import { experimentOn, scaling, writeDecathlon } from './volumes.js';

const folder = mkdtempSync(join(tmpdir(), 'lunet-prepare-'));
after(() => rmSync(folder, { recursive: true }));

const root = join(folder, 'data');
writeDecathlon(root, [{}, { both: { sform: scaling([4, 4, 4]) } }, {}, {}, {}]);
const config = experimentOn(root, 'preprocessing.spacing=[1, 1, 1]');
const { cases: sources } = await listCases('decathlon', root, { followLinks: false });

describe('cases read side by side', () => {
  it('are the same in any number of threads', async () => {
    const one = await prepareCases(sources, config, { jobs: 1 });
    const three = await prepareCases(sources, config, { jobs: 3 });
    assert.deepEqual(
      three.map(({ id, digest }) => [id, digest]),
      one.map(({ id, digest }) => [id, digest]),
    );
  });
  it('that do not fit into their share of memory are read by themselves afterwards', async () => {
    const one = await prepareCases(sources, config, { jobs: 1 });
    // The first share is too small for any case, the second for the one that is resampled to 32 x 32 x 32 voxels.
    for (const share of [100, 100_000]) {
      const seen: number[] = [];
      const progress = (done: number): void => void seen.push(done);
      const found = await prepareCases(sources, config, { jobs: 2, share, progress });
      assert.deepEqual(found, one);
      assert.deepEqual(seen, [1, 2, 3, 4, 5]);
    }
    await assert.rejects(prepareCase(sources[1] as CaseSource, config, 100_000), ShortOfMemory);
    assert.equal((await prepareCase(sources[0] as CaseSource, config, 100_000)).id, 'case_0');
  });
});

describe('room in memory', () => {
  const wanted = { what: 'a.nii: 3 x 3 x 3 voxels', advice: 'do this', longest: 27 };
  it('is a share that may be exceeded by oneself, or all that there is', () => {
    assert.doesNotThrow(() => roomWithin(100)({ ...wanted, bytes: 100 }));
    assert.throws(() => roomWithin(100)({ ...wanted, bytes: 101 }), ShortOfMemory);
    assert.doesNotThrow(() => roomWithin()({ ...wanted, bytes: 100 }));
    assert.throws(
      () => roomWithin()({ ...wanted, bytes: 2 ** 60 }),
      (error) =>
        error instanceof UserError &&
        !(error instanceof ShortOfMemory) &&
        /^a\.nii: 3 x 3 x 3 voxels need about 1073741824\.0 GiB of memory, [\d.]+ GiB are free; do this$/.test(
          error.message,
        ),
    );
  });
  it('ends where an array does, and where a number does', () => {
    for (const longest of [2 ** 32 + 1, Infinity, NaN])
      assert.throws(
        () => roomWithin(100)({ ...wanted, bytes: 1, longest }),
        (error) => error instanceof UserError && !(error instanceof ShortOfMemory),
      );
  });
});

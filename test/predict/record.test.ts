import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { doneAlready } from '../../src/predict/record.js';
import { seal } from '../../src/runs/sealed.js';
import { sha256 } from '../../src/sha256.js';

it('a record of an earlier version, without the overlap of windows, was made with half', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lunet-record-'));
  try {
    mkdirSync(join(folder, '.lunet'));
    writeFileSync(join(folder, 'a.nii.gz'), 'voxels');
    const made = { models: [{ name: 'm', sha256: '1' }], mirror: [], input: ['2'] };
    const result = { voxels: { organ: 5 }, voxelVolume: 1, warnings: [] };
    const record = { version: 1, ...made, ...result, files: { 'a.nii.gz': sha256('voxels') } };
    writeFileSync(join(folder, '.lunet/a.json'), seal(record));
    const ask = (overlap: number) => doneAlready(folder, 'a', { ...made, overlap }, ['a.nii.gz']);
    assert.deepEqual(ask(0.5)?.voxels, { organ: 5 });
    assert.throws(() => ask(0.75), /was made with windows that overlap by 0.5, not 0.75/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { UserError } from '../../src/errors.js';
import { buildArchitecture } from '../../src/network/architecture.js';
import { initialOptimizerState, initialWeights } from '../../src/network/weights.js';
import { stream } from '../../src/random.js';
import {
  encodeCheckpoint,
  peekProgress,
  readCheckpoint,
  writeCheckpoint,
} from '../../src/runs/checkpoint.js';

const architecture = buildArchitecture(
  { family: 'lunet', n: 1, levels: 2, convs: 1, scale: 1, skips: true },
  1,
  1,
);
const RUN = 'the run';
const weights = initialWeights(architecture, stream(1, 'checkpoint'));
const optimizer = { ...initialOptimizerState(architecture), step: 7 };

/** A folder with two generations of checkpoints, of epochs 1 and 2. */
function twoGenerations(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lunet-'));
  for (const epoch of [1, 2])
    writeCheckpoint(folder, encodeCheckpoint({ run: RUN, weights, optimizer, progress: { epoch } }));
  return folder;
}

describe('a checkpoint', () => {
  it('comes back as it was written', () => {
    const found = readCheckpoint<{ epoch: number }>(twoGenerations(), RUN, assert.fail);
    assert.deepEqual([...(found?.weights ?? [])], [...weights]);
    assert.equal(found?.optimizer.step, 7);
    assert.deepEqual([...(found?.optimizer.m ?? [])], [...optimizer.m]);
    assert.deepEqual(found?.progress, { epoch: 2 });
  });

  const folder = twoGenerations();
  const newest = join(folder, 'checkpoint.safetensors');
  const whole = readFileSync(newest);
  const damaged = (bytes: Uint8Array): void => {
    writeFileSync(newest, bytes);
    const warnings: string[] = [];
    const found = readCheckpoint<{ epoch: number }>(folder, RUN, (warning) => warnings.push(warning));
    assert.deepEqual(found?.progress, { epoch: 1 }, 'the one before is used');
    assert.equal(warnings.length, 1, 'and that is said');
  };
  it('that is cut off anywhere is passed over for the one before', () => {
    const random = stream(2, 'cuts');
    for (let i = 0; i < 60; i++) damaged(whole.subarray(0, i));
    for (let i = 0; i < 200; i++) damaged(whole.subarray(0, random.integer(whole.length)));
  });
  it('with any bit flipped is passed over for the one before', () => {
    const random = stream(3, 'flips');
    for (let i = 0; i < 600; i++) {
      const bytes = Uint8Array.from(whole);
      const at = i < 64 ? i : random.integer(bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << random.integer(8));
      damaged(bytes);
    }
  });
  it('of another run is passed over for the own one before', () => {
    damaged(encodeCheckpoint({ run: 'another', weights, optimizer, progress: { epoch: 9 } }));
  });
  it('can be looked at without a lock, and nothing is moved', () => {
    const own = twoGenerations();
    assert.deepEqual(peekProgress(own, RUN), { epoch: 2 });
    writeFileSync(join(own, 'checkpoint.safetensors'), 'damaged');
    assert.deepEqual(peekProgress(own, RUN), { epoch: 1 });
    assert.equal(readFileSync(join(own, 'checkpoint.safetensors'), 'utf8'), 'damaged');
    assert.equal(peekProgress(own, 'another'), undefined);
  });
  it('without a readable generation is an error that says what to do', () => {
    writeFileSync(newest, 'nothing');
    copyFileSync(newest, join(folder, 'checkpoint-previous.safetensors'));
    assert.throws(
      () => readCheckpoint(folder, RUN, () => undefined),
      (error: unknown) => error instanceof UserError && error.message.includes('--overwrite'),
    );
  });
});

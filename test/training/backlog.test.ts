// Postponed work is done in order while the engine computes, and every failure is reported.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Backlog, catchUp, meanwhile } from '../../src/training/backlog.js';

describe('a backlog', () => {
  it('is done in its order while a computation runs, once', async () => {
    const seen: string[] = [];
    const backlog: Backlog = [() => seen.push('first'), () => seen.push('second')];
    const computing = Promise.resolve()
      .then(() => seen.push('begun'))
      .then(() => new Promise((resolve) => setTimeout(resolve, 20)))
      .then(() => seen.push('computed'));
    assert.equal(await meanwhile(backlog, computing), 4);
    assert.deepEqual(seen, ['begun', 'first', 'second', 'computed']);
    await meanwhile(backlog, Promise.resolve());
    catchUp(backlog);
    assert.equal(seen.length, 4);
  });

  it('fails with its own error, when the computation is at rest', async () => {
    let rests = false;
    const backlog: Backlog = [() => assert.fail('the disk is full')];
    const computing = new Promise((resolve) => setTimeout(resolve, 20)).then(() => (rests = true));
    await assert.rejects(meanwhile(backlog, computing), /the disk is full/);
    assert.ok(rests);
  });

  it("fails with the computation's error, all work done", async () => {
    let done = false;
    const backlog: Backlog = [() => (done = true)];
    await assert.rejects(meanwhile(backlog, Promise.reject(new Error('interrupted'))), /interrupted/);
    assert.ok(done);
  });
});

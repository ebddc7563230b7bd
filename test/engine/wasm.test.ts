// What the WebAssembly engine has to itself: its threads, its memory and its file. That it computes what the others do is
// for contract.test.ts.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Engine, InterruptedError, type Network, type Sample } from '../../src/engine/engine.js';
import { createWasmEngine } from '../../src/engine/wasm/index.js';
import { createNodeWasmEngine } from '../../src/engine/wasm/node.js';
import { selfCheck } from '../../src/engine/self-check.js';
import { UserError } from '../../src/errors.js';
import { type EngineCase, batchFor, engineCases, masksFor, settingsFor, weightsFor } from './cases.js';

const file = fileURLToPath(new URL('../../src/engine/wasm/lunet.wasm', import.meta.url));
const engine = await createNodeWasmEngine();

const small = engineCases.find(({ name }) => name.startsWith('two levels')) as EngineCase;
/** A step of it takes some tenths of a second. */
const slow: EngineCase = {
  name: 'slow',
  architecture: {
    ...{ inputChannels: 1, labels: 1, skips: true },
    ...{ encoder: [[8, 8], [8]], decoder: [[8, 8]], up: [8] },
  },
  size: [32, 32, 32],
  batch: 2,
  dropout: 0,
};
const load = (test: EngineCase, on: Engine = engine): Promise<Network> =>
  on.load(settingsFor(test), weightsFor(test));
const step = (network: Network, test: EngineCase): Promise<number> =>
  network.trainStep(batchFor(test), masksFor(test, 0), 0.01);

describe('the WebAssembly engine', () => {
  it('passes its self-check, with few bytes', async () => {
    assert.equal(await selfCheck(engine), undefined);
    assert.ok(readFileSync(file).length < 200_000);
  });

  it('leaves the JavaScript thread free', async () => {
    const network = await load(slow);
    let turns = 0;
    const timer = setInterval(() => turns++, 5);
    await step(network, slow);
    clearInterval(timer);
    network.dispose();
    assert.ok(turns > 2, `${turns} turns`);
  });

  it('is interrupted in a call, which changes nothing then', async () => {
    const [network, other] = [await load(slow), await load(slow)];
    const running = step(network, slow);
    // Once the call has begun: what is interrupted before runs to its end.
    setTimeout(() => network.interrupt(), 20);
    await assert.rejects(running, InterruptedError);
    assert.deepEqual([...(await network.readWeights())], [...weightsFor(slow)]);
    network.interrupt();
    assert.equal(await step(network, slow), await step(other, slow));
    assert.deepEqual([...(await network.readWeights())], [...(await other.readWeights())]);
    for (const each of [network, other]) each.dispose();
  });

  it('gives the same bits on the thread that calls', async () => {
    const here = await createWasmEngine(readFileSync(file));
    const [network, other] = [await load(small, here), await load(small)];
    assert.equal(await step(network, small), await step(other, small));
    const images = batchFor(small).map(({ image }) => image);
    assert.deepEqual(await network.predict(images, 'running'), await other.predict(images, 'running'));
    for (const each of [network, other]) each.dispose();
    await assert.rejects(network.readWeights(), /disposed/);
  });

  it('measures its convolutions from when it is first asked', async () => {
    const network = await load(small);
    await step(network, small);
    const before = network.meter?.() ?? [];
    assert.ok(before.length === 3 && before.every(({ multiplyAdds }) => multiplyAdds === 0));
    await step(network, small);
    const [once, twice] = [network.meter?.() ?? [], (await step(network, small), network.meter?.() ?? [])];
    assert.ok(once.every(({ multiplyAdds, seconds }) => multiplyAdds > 0 && seconds > 0));
    assert.deepEqual(
      once.map(({ multiplyAdds }) => multiplyAdds),
      twice.map(({ multiplyAdds }) => multiplyAdds),
    );
    network.dispose();
  });

  it('says what is wrong with a batch, and computes the next one', async () => {
    const network = await load(small);
    const [first] = batchFor(small) as [Sample];
    const short = { ...first, image: first.image.subarray(1) };
    await assert.rejects(network.evaluate([short]), /image has 839 elements, expected 840/);
    await assert.rejects(network.evaluate(Array<Sample>(4).fill(first)), /expected 1 to 3 cases, found 4/);
    assert.equal((await network.evaluate([first])).length, 1);
    network.dispose();
  });

  it('refuses what its memory cannot hold, with the batch that fits', async () => {
    const here = await createWasmEngine(readFileSync(file));
    // Twice the cases take twice the memory, also where 32 bits cannot count it.
    const bytes = [8, 16, 32, 64, 1000].map((batch) =>
      here.estimateMemory(settingsFor({ ...slow, size: [128, 128, 128], batch }, 0)),
    );
    for (const [i, factor] of [2, 2, 2, 1000 / 64].entries()) {
      const ratio = (bytes[i + 1] as number) / (bytes[i] as number);
      assert.ok(ratio > 0.7 * factor && ratio < 1.4 * factor, `${ratio}, expected about ${factor}`);
    }
    const large = { ...slow, size: [128, 128, 128] as const, batch: 100 };
    await assert.rejects(
      here.load(settingsFor(large), weightsFor(large)),
      (error: unknown) =>
        error instanceof UserError &&
        error.kind === 'engine' &&
        /needs about [\d.]+ GiB of memory, .*: set training\.batch to \d+ or less/.test(error.message),
    );
  });

  it('lets the process end while a network is loaded', () => {
    const script = [
      `const { createNodeWasmEngine } = await import(${JSON.stringify(new URL('../../src/engine/wasm/node.js', import.meta.url).href)});`,
      `const { settingsFor, weightsFor, engineCases } = await import(${JSON.stringify(new URL('./cases.js', import.meta.url).href)});`,
      'const engine = await createNodeWasmEngine();',
      'const network = await engine.load(settingsFor(engineCases[0]), weightsFor(engineCases[0]));',
      'console.log((await network.readWeights()).size);',
    ].join('\n');
    const words = ['--input-type=module', '-e', script];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, {
      encoding: 'utf8',
      timeout: 20_000,
    });
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^\d+\n$/);
  });
});

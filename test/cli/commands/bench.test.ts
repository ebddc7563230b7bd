// The output of `lunet bench`; speeds cannot be tested.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createNativeEngine } from '../../../src/engine/native/index.js';
import { buildArchitecture } from '../../../src/network/architecture.js';
import { countParameters } from '../../../src/network/parameters.js';
import { initialWeights } from '../../../src/network/weights.js';
import { stream } from '../../../src/random.js';
import { encodeSafetensors } from '../../../src/runs/safetensors.js';
import { emptyFolder, lunet } from '../lunet.js';

const SMALL = ['--n', '2', '--levels', '2', '--convs', '1', '--size', '8', '--batch', '2', '--repeats', '3'];
const unet = buildArchitecture({ family: 'unet', n: 2, levels: 2, convs: 1, scale: 1, skips: true }, 1, 1);

interface Printed {
  version: number;
  engine: string;
  fmaPeakGflops: number;
  cases: {
    network: string;
    msPerVolume: number;
    gflops: number;
    passes?: { pass: string; multiplyAdds: number; seconds: number }[];
  }[];
  path: {
    percent: number;
    parameters: number;
    multiplyAdds: number;
    msPerVolume: number;
    relativeTime: number;
  }[];
  kernels: { kernel: string; shape: string; gflops?: number; gigabytes?: number }[];
}

function printed(...words: string[]): Printed {
  const { status, stdout, stderr } = lunet(['bench', ...words, '--json']);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Printed;
}

describe('lunet bench', () => {
  it('counts the work of a step and of its convolutions', () => {
    const { engine, fmaPeakGflops, cases } = printed('--family', 'unet', ...SMALL, '--passes');
    assert.equal(engine, 'native');
    assert.ok(fmaPeakGflops > 0);
    const [test] = cases;
    assert.ok(test?.passes && cases.length === 1);
    assert.equal(test.network, 'unet n=2, 2 levels, 1 convs');
    // 27 taps: 1 -> 2 and 4 -> 2 on 8^3 voxels, 2 -> 4 on 4^3; 3 steps of 2 cases. The image has no gradient.
    const first = 27 * 2 * 512;
    const forward = first + 27 * 8 * 512 + 27 * 8 * 64;
    assert.deepEqual(
      test.passes.map(({ pass, multiplyAdds }) => [pass, multiplyAdds]),
      [
        ['forward', 6 * forward],
        ['input gradient', 6 * (forward - first)],
        ['weight gradient', 6 * forward],
      ],
    );
    for (const { seconds } of test.passes) assert.ok(seconds > 0);
    // The up-convolution 4 -> 2 and the head besides.
    const whole = forward + 512 * (4 * 2 + 2);
    const expected = (2e-6 * (3 * whole - first)) / test.msPerVolume;
    assert.ok(Math.abs(test.gflops / expected - 1) < 1e-9, `${test.gflops}, expected ${expected}`);
  });

  it('refuses options that it would not look at', () => {
    for (const words of [
      ['--kernels', '--batch', '2'],
      ['--kernels', '--engine', 'wasm'],
      ['--pruned', '--passes'],
    ]) {
      const { status, stdout, stderr } = lunet(['bench', ...words]);
      assert.equal(status, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, /^error: option '.+' cannot be used with option '.+'/m);
    }
  });

  it('follows the path of pruning', () => {
    const { path } = printed('--pruned', '--family', 'unet', ...SMALL, '--n', '4');
    assert.equal(path[0]?.percent, 100);
    assert.equal(path[0].relativeTime, 1);
    for (const [i, { parameters, multiplyAdds, msPerVolume }] of path.entries()) {
      assert.ok(msPerVolume > 0);
      const before = path[i - 1];
      if (before) assert.ok(parameters < before.parameters && multiplyAdds < before.multiplyAdds);
    }
  });

  it('measures a saved network of several inputs and labels', () => {
    const cwd = emptyFolder();
    const architecture = { ...unet, inputChannels: 3, labels: 2, encoder: [[3], [2]], decoder: [[1]] };
    const weights = initialWeights(architecture, stream(1, 'bench'));
    const metadata = { architecture: JSON.stringify(architecture), labels: '["a","b"]' };
    const file = join(cwd, 'pruned.safetensors');
    writeFileSync(file, encodeSafetensors({ tensors: weights, metadata }));
    const { cases } = printed('--weights', file, '--size', '8', '--batch', '1', '--repeats', '1');
    assert.equal(cases[0]?.network, file);
    const { path } = printed('--pruned', '--weights', file, '--size', '8', '--batch', '1', '--repeats', '1');
    assert.equal(path[0]?.parameters, countParameters(architecture));
  });

  it('has a figure for every kernel', () => {
    const { device } = createNativeEngine().description;
    const { kernels } = printed('--kernels', '--isa', device);
    // All kernels of the table in kernels.h, except the one that measures the peak.
    const table = readFileSync('src/engine/native/kernels/kernels.h', 'utf8').matchAll(/\(\*(\w+)\)\(/g);
    const names = new Set([...table].map(([, name]) => name).filter((name) => name !== 'peak'));
    assert.ok(names.size > 15);
    assert.deepEqual(new Set(kernels.map(({ kernel }) => kernel)), names);
    for (const { kernel, gflops, gigabytes } of kernels)
      assert.ok(Number(gflops ?? gigabytes) > 0, `${kernel} has no figure`);
  });

  it('refuses what makes no sense', () => {
    const bad: readonly [string[], number, RegExp][] = [
      [['--size', '20', '--levels', '4'], 2, /--size: found 20, expected a multiple of 8/],
      [['--weights', 'none.safetensors'], 3, /none\.safetensors/],
      [['--weights', 'x.safetensors', '--n', '4'], 2, /--weights gives a network/],
      [['--isa', 'avx2', '--engine', 'wasm'], 2, /--isa is for the native engine/],
      [['--isa', 'sse9'], 4, /instruction set sse9 is not available/],
    ];
    for (const [words, status, message] of bad) {
      const result = lunet(['bench', ...words]);
      assert.match(result.stderr, message);
      assert.equal(result.status, status, words.join(' '));
    }
  });
});

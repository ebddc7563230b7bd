// MONAI's sliding_window_inference on the same weights, where its windows are those of lunet: see fixtures/generate.py.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Extent, volumeSize } from '../../src/data/preprocess.js';
import { createEngine } from '../../src/engine/index.js';
import { slideWindows } from '../../src/inference/sliding.js';
import { axisWindows } from '../../src/inference/windows.js';
import { type Architecture } from '../../src/network/architecture.js';
import { type Weights } from '../../src/network/weights.js';

/** Sizes are (D, H, W). */
interface Fixture {
  readonly window: [number, number, number];
  readonly cases: readonly {
    readonly size: [number, number, number];
    readonly overlap: number;
    /** Probabilities (outputs, D, H, W), averaged with MONAI's weights, and with those of lunet. */
    readonly gaussian: string;
    readonly separable: string;
  }[];
}
const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../test/${name}`, import.meta.url), 'utf8'));
const fixture = read('inference/fixtures/monai.json') as Fixture;
const { architecture, afterTen } = read('engine/fixtures/torch/unet.json') as {
  readonly architecture: Architecture;
  readonly afterTen: Record<string, { shape: number[]; data: string }>;
};
const numbers = (data: string): Float32Array =>
  new Float32Array(Uint8Array.from(Buffer.from(data, 'base64')).buffer);
const weights: Weights = new Map(
  Object.entries(afterTen).map(([name, { shape, data }]) => [name, { shape, data: numbers(data) }]),
);

describe("MONAI's sliding windows", async () => {
  const window = volumeSize(fixture.window);
  const network = await (
    await createEngine('auto')
  ).load(
    {
      architecture,
      size: fixture.window,
      maxBatch: 3,
      targets: new Uint32Array(256),
      adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    },
    weights,
  );
  for (const { size, overlap, gaussian, separable } of fixture.cases)
    it(`give the same for ${size.join(' x ')} voxels, overlapping by ${overlap}`, async () => {
      const [w, h, d] = volumeSize(size);
      const voxels = w * h * d;
      const channels = [0, 1].map((c) =>
        Float32Array.from({ length: voxels }, (_, i) => ((((c * voxels + i) * 7919) % 1009) / 1009) * 4 - 2),
      );
      const found = new Float32Array(2 * voxels);
      const windowing = { size: window, overlap, mirror: [], batch: 3 };
      await slideWindows([network], 2, { size: [w, h, d], channels }, windowing, (z, plane) => {
        for (const k of [0, 1]) found.set(plane.subarray(k * w * h, (k + 1) * w * h), k * voxels + z * w * h);
      });
      const [theirs, sameWeights] = [numbers(gaussian), numbers(separable)];
      const light = lightest([w, h, d], window, overlap);
      let compared = 0;
      for (let i = 0; i < 2 * voxels; i++) {
        const p = found[i] as number;
        assert.ok(Math.abs(p - (sameWeights[i] as number)) < 1e-5, `${i}: ${p} ${sameWeights[i]}`);
        // MONAI's weights are at least 1e-3, lunet's are so along each axis.
        if ((light[i % voxels] as number) < 1e-3) continue;
        compared++;
        assert.ok(Math.abs(p - (theirs[i] as number)) < 1e-5, `${i}: ${p} ${theirs[i]}`);
      }
      assert.ok(compared > voxels / 2, String(compared));
    });
});

/** The least that a window counts at each voxel of a grid (z, y, x); 1 where there is one window. */
function lightest([w, h, d]: Extent, window: Extent, overlap: number): Float64Array {
  const [xs, ys, zs] = [w, h, d].map((length, axis) =>
    axisWindows(length, window[axis] as number, overlap),
  ) as [ReturnType<typeof axisWindows>, ReturnType<typeof axisWindows>, ReturnType<typeof axisWindows>];
  const light = new Float64Array(w * h * d).fill(1);
  const counted = new Uint8Array(w * h * d);
  for (const z of zs.starts)
    for (const y of ys.starts)
      for (const x of xs.starts)
        for (let dz = 0; dz < Math.min(d, window[2]); dz++)
          for (let dy = 0; dy < Math.min(h, window[1]); dy++)
            for (let dx = 0; dx < Math.min(w, window[0]); dx++) {
              const at = ((z + dz) * h + y + dy) * w + x + dx;
              const weight =
                (xs.weights[dx] as number) * (ys.weights[dy] as number) * (zs.weights[dz] as number);
              light[at] = Math.min(light[at] as number, weight);
              counted[at] = (counted[at] as number) + 1;
            }
  return light.map((weight, at) => (counted[at] === 1 ? 1 : weight));
}

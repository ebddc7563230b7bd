import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Inference } from '../../src/config/inference.js';
import { type Extent } from '../../src/data/preprocess.js';
import { type Model } from '../../src/model/model.js';
import { type SegmentOptions, type Segmentation, loadEnsemble } from '../../src/inference/segment.js';
import { type Predictor, fakeEngine, modelWith } from './fake-engine.js';

const ORGAN = [{ name: 'organ', values: [3] }];
const asIs: Predictor = (image) => image.map((v) => v);

interface Place {
  readonly size: Extent;
  readonly spacing?: Extent;
  readonly orientation?: string;
}

async function segment(
  predictor: Predictor,
  models: readonly Model[],
  channels: readonly Float32Array[],
  { size, spacing = [1, 1, 1], orientation = 'RAS' }: Place,
  { overlap = 0.5, mirror = [], ...options }: SegmentOptions & Partial<Inference> = {},
): Promise<Segmentation> {
  const ensemble = await loadEnsemble(fakeEngine(predictor), models, { overlap, mirror });
  return ensemble.segment({ size, spacing, orientation, channels: channels.map((c) => c.slice()) }, options);
}

/** Numbers from 0 to 1 without a pattern, none of them at 0.5. */
const noise = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => ((i * 7919) % 1009) / 1009);
const above = (voxels: Float32Array, value: number): number[] =>
  [...voxels].map((p) => (p > 0.5 ? value : 0));
const count = ([x, y, z]: Extent): number => x * y * z;

describe('segmentation', () => {
  it('finds every voxel back: smaller than the window, larger, and both, whatever the orientation', async () => {
    const sizes: Extent[] = [
      [5, 6, 7],
      [8, 8, 8],
      [19, 11, 9],
      [3, 20, 8],
    ];
    for (const size of sizes)
      for (const orientation of ['RAS', 'LPS', 'SRA', 'IPL', 'ASR', 'LAI'])
        for (const how of ['RAS', 'keep'] as const) {
          const image = noise(count(size));
          const model = modelWith(ORGAN, { orientation: how });
          const { labels, voxels } = await segment(asIs, [model], [image], { size, orientation });
          assert.deepEqual(
            [...(labels as Uint8Array)],
            above(image, 3),
            `${size.join()} ${orientation} ${how}`,
          );
          assert.deepEqual(voxels, [above(image, 1).reduce((a, b) => a + b, 0)]);
        }
  });

  it('shows networks the right, front and top in their places', async () => {
    // Stored to the left, back and top; one voxel at the right front end of the bottom.
    const size: Extent = [4, 3, 2];
    const image = new Float32Array(24);
    image[0] = 1;
    const seen: number[] = [];
    const look: Predictor = (window) => {
      seen.push(window.findIndex((v) => v > 0.5));
      return window;
    };
    await segment(look, [modelWith(ORGAN, { size: [4, 4, 2] })], [image], { size, orientation: 'LPS' });
    // x = 3 and y = 2 of 3, padded to 4 at the end.
    assert.deepEqual(seen, [2 * 4 + 3]);
  });

  it('weights windows by their Gaussians, as with a volume of weights', async () => {
    const [size, window]: [Extent, Extent] = [
      [13, 9, 11],
      [8, 4, 6],
    ];
    // What a network finds depends on where in the window it looks.
    const bump = Float32Array.from({ length: count(window) }, (_, i) => ((i * 31) % 97) / 97);
    const predictor: Predictor = (image) => image.map((v, i) => (v + (bump[i] as number)) / 2);
    const image = noise(count(size));
    const model = modelWith(ORGAN, { size: window });
    const { probabilities } = await segment(predictor, [model], [image], { size }, { probabilities: true });
    const starts = size.map((n, axis) => {
      const w = window[axis] as number;
      const k = Math.ceil((n - w) / (w / 2)) + 1;
      return Array.from({ length: k }, (_, i) => Math.round((i * (n - w)) / (k - 1)));
    });
    const gauss = (i: number, w: number): number =>
      Math.max(1e-3, Math.exp(-(((i - (w - 1) / 2) / (w / 8)) ** 2) / 2));
    const [sums, weights] = [new Float64Array(count(size)), new Float64Array(count(size))];
    for (const z0 of starts[2] ?? [])
      for (const y0 of starts[1] ?? [])
        for (const x0 of starts[0] ?? [])
          for (let i = 0; i < count(window); i++) {
            const [x, y, z] = [
              i % window[0],
              Math.floor(i / window[0]) % window[1],
              Math.floor(i / (window[0] * window[1])),
            ];
            const at = ((z0 + z) * size[1] + y0 + y) * size[0] + x0 + x;
            const weight = gauss(x, window[0]) * gauss(y, window[1]) * gauss(z, window[2]);
            weights[at] = (weights[at] as number) + weight;
            sums[at] = (sums[at] as number) + (weight * ((image[at] as number) + (bump[i] as number))) / 2;
          }
    sums.forEach((sum, at) => {
      const expected = (255 * sum) / (weights[at] as number);
      assert.ok(Math.abs((probabilities?.[at] as number) - expected) < 0.51, `${at}`);
    });
  });

  it('averages models, and windows mirrored along the axes asked for', async () => {
    const size: Extent = [8, 8, 8];
    const image = noise(512);
    let call = 0;
    const uneven: Predictor = (window) => window.map((v) => (call++ < 512 ? v : v / 2));
    const model = modelWith(ORGAN, {});
    const mean = await segment(uneven, [model, model], [image], { size }, { probabilities: true });
    assert.deepEqual(
      [...(mean.probabilities as Uint8Array)],
      [...image].map((v) => Math.round(255 * Math.fround(Math.fround(v + Math.fround(v / 2)) / 2))),
    );
    // Only the first row of a window is ever found: mirrored along y, the last one is too, with half the probability.
    const first: Predictor = (window) => window.map((_, i) => (Math.floor(i / 8) % 8 === 0 ? 1 : 0));
    const { probabilities } = await segment(
      first,
      [model],
      [image],
      { size },
      { probabilities: true, mirror: ['x', 'y'] },
    );
    probabilities?.forEach((p, i) => assert.equal(p, [0, 7].includes(Math.floor(i / 8) % 8) ? 128 : 0));
  });

  it('gives the most probable of disjoint outputs, paints overlapping ones in order, and keeps masks apart', async () => {
    const two: Predictor = (image) => Float32Array.from([...image.map((v) => 1 - v * 0.45), ...image]);
    const image = Float32Array.from({ length: 512 }, (_, i) => [0.4, 0.6, 0.9][i % 3] as number);
    const place: Place = { size: [8, 8, 8] };
    const disjoint = modelWith(
      [
        { name: 'a', values: [300] },
        { name: 'b', values: [7, 2] },
      ],
      {},
    );
    const labels = await segment(two, [disjoint], [image], place);
    // 0.82, 0.73 and 0.595 of the first beside 0.4, 0.6 and 0.9.
    assert.deepEqual([...(labels.labels as Uint16Array).slice(0, 3)], [300, 300, 7]);
    assert.ok(labels.labels instanceof Uint16Array);
    const nested = modelWith(
      [
        { name: 'whole', values: [1, 2] },
        { name: 'core', values: [2] },
      ],
      {},
    );
    const painted = await segment(two, [nested], [image], place);
    assert.deepEqual([...(painted.labels as Uint8Array).slice(0, 3)], [1, 2, 2]);
    assert.ok(painted.labels instanceof Uint8Array);
    const apart = await segment(two, [nested], [image], place, { separate: true });
    assert.equal(apart.labels, undefined);
    assert.deepEqual(
      apart.masks?.map((mask) => [...mask.slice(0, 3)]),
      [
        [1, 1, 1],
        [0, 1, 1],
      ],
    );
    assert.deepEqual(apart.voxels, [512, 341]);
  });

  it('resamples there and back, and normalises each channel', async () => {
    const size: Extent = [16, 12, 6];
    const half = Float32Array.from({ length: count(size) }, (_, i) => (i % 16 < 8 ? 100 : 300));
    const model = modelWith(
      ORGAN,
      { size: [8, 8, 8], spacing: [2, 2, 2], normalisation: { window: [100, 300] } },
      ['one', 'two'],
    );
    const second: Predictor = (image) => image.slice(512);
    const { labels, intensity } = await segment(second, [model], [half.map(() => 5), half], {
      size,
      spacing: [1, 1, 3],
    });
    assert.deepEqual(
      [...(labels as Uint8Array)],
      above(
        half.map((v) => v - 250),
        3,
      ),
    );
    assert.deepEqual(intensity, [
      { min: 5, max: 5 },
      { min: 100, max: 300 },
    ]);
  });

  it('says when a network overflows, and stops when asked to', async () => {
    const model = modelWith(ORGAN, {});
    const image = noise(512);
    await assert.rejects(
      segment((v) => v.map(() => NaN), [model], [image], { size: [8, 8, 8] }),
      /overflows on this scan/,
    );
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(segment(asIs, [model], [image], { size: [8, 8, 8] }, { signal }), /enough/);
  });
});

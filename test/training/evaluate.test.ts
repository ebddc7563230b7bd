import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { volumeSize } from '../../src/data/preprocess.js';
import { InterruptedError, type Network } from '../../src/engine/engine.js';
import { UserError } from '../../src/errors.js';
import { stream } from '../../src/random.js';
import { DivergedError } from '../../src/training/epoch.js';
import { evaluateCases } from '../../src/training/evaluate.js';

type Context = Parameters<typeof evaluateCases>[2];
const TARGETS = new Uint32Array(256);
TARGETS.set([0b00, 0b01, 0b11]);

function context(
  size: readonly [number, number, number],
  sample: Context['dataset']['sample'],
  mirror: readonly ('x' | 'y' | 'z')[] = [],
  signal?: AbortSignal,
): Context {
  const config = { training: { batch: 1 }, inference: { overlap: 0.5, mirror: [...mirror] } };
  const caseAt = (id: string) => Promise.resolve({ ...sample(id), size: volumeSize(size) });
  const dataset = { size: volumeSize(size), outputs: ['whole', 'core'], sample, caseAt, targets: TARGETS };
  return { config, dataset, ...(signal && { signal }) } as unknown as Context;
}

describe('evaluation of a case that overflows', () => {
  const nothing = Float64Array.of(NaN);
  const overlap = { intersection: nothing, predicted: nothing, target: nothing };
  const network = {
    evaluate: () => Promise.resolve([overlap]),
    predict: () => Promise.resolve(new Float32Array(6).fill(NaN)),
  } as unknown as Network;
  for (const mirror of [[], ['x']] as const) {
    const evaluate = (voxel: number): Promise<unknown> => {
      const sample = () => ({ image: Float32Array.of(0, -voxel, 1), label: new Uint8Array(3) });
      return evaluateCases(network, ['case_7'], context([3, 1, 1], sample, mirror));
    };
    const how = mirror.length > 0 ? ', by windows' : '';
    it(`blames voxels that are no intensities${how}`, async () => {
      await assert.rejects(evaluate(2e37), (error: unknown) => {
        assert.ok(error instanceof UserError);
        assert.equal(error.kind, 'data');
        assert.match(error.message, /^case case_7: found voxels of up to 2\.0e\+37/);
        return true;
      });
    });
    it(`blames the network for voxels as usual${how}`, async () => {
      await assert.rejects(
        evaluate(3),
        (error: unknown) => error instanceof DivergedError && /overflows.*case_7/.test(error.message),
      );
    });
  }
});

describe('evaluation of cases of their own sizes', () => {
  it('finds in windows what is there, in cases larger and smaller than a patch', async () => {
    const random = stream(9, 'sizes');
    // Along x, y, z: larger, smaller, both; patches of 8 x 4 x 6.
    for (const size of [
      [19, 7, 13],
      [5, 3, 6],
      [11, 2, 6],
    ] as const) {
      const voxels = size[0] * size[1] * size[2];
      const image = Float32Array.from({ length: voxels }, () => random.uniform());
      const label = Uint8Array.from({ length: voxels }, () => Math.floor(3 * random.uniform()));
      // Whatever the window, a voxel is found where it is bright: twice, once for each output.
      const network = {
        predict: (images: Float32Array[]) =>
          Promise.resolve(Float32Array.from(images.flatMap((window) => [...window, ...window]))),
      } as unknown as Network;
      const { config, dataset } = context(size, () => assert.fail('no case is in memory'));
      const found = await evaluateCases(network, ['a'], {
        config: { ...config, training: { ...config.training, batch: 3, patch: { size: [8, 4, 6] } } },
        dataset: {
          ...dataset,
          size: volumeSize([8, 4, 6]),
          caseAt: () => Promise.resolve({ image, label, size: volumeSize(size) }),
        },
      } as unknown as Context);
      for (const [k, least] of [1, 2].entries()) {
        let [both, all] = [0, 0];
        label.forEach((index, i) => {
          const [t, p] = [Number(index >= least), Number((image[i] as number) > 0.5)];
          both += t * p;
          all += t + p;
        });
        assert.equal(found[0]?.[k], (2 * both) / all, size.join());
      }
    }
  });
});

describe('evaluation of mirrored cases', () => {
  const size = [5, 3, 2] as const;
  const VOXELS = 30;
  const random = stream(5, 'evaluate');
  const cases = ['a', 'b'].map(() => ({
    image: Float32Array.from({ length: VOXELS }, () => random.uniform()),
    label: Uint8Array.from({ length: VOXELS }, () => Math.floor(3 * random.uniform())),
  }));
  const sample = (id: string) => cases['ab'.indexOf(id)] as (typeof cases)[number];
  /** What a network finds depends on where in the window it looks, so mirroring changes it. */
  const bump = Float32Array.from({ length: 2 * VOXELS }, () => random.uniform());
  const find = (image: Float32Array): Float32Array =>
    bump.map((b, i) => (b + (image[i % VOXELS] as number)) / 2);
  const network = {
    predict: ([image]: Float32Array[]) => Promise.resolve(find(image as Float32Array)),
  } as unknown as Network;

  it('is of the mean over all mirrorings', async () => {
    const found = await evaluateCases(network, ['a', 'b'], context(size, sample, ['x', 'z']));
    const flip = (i: number, x: boolean, z: boolean): number => {
      const [at, row, plane] = [i % 5, Math.floor(i / 5) % 3, Math.floor(i / 15)];
      return ((z ? 1 - plane : plane) * 3 + row) * 5 + (x ? 4 - at : at);
    };
    for (const [c, { image, label }] of cases.entries()) {
      const mean = new Float64Array(2 * VOXELS);
      for (const x of [false, true])
        for (const z of [false, true]) {
          const p = find(image.map((_, i) => image[flip(i, x, z)] as number));
          for (let k = 0; k < 2; k++)
            for (let i = 0; i < VOXELS; i++)
              mean[k * VOXELS + i] =
                (mean[k * VOXELS + i] as number) + (p[k * VOXELS + flip(i, x, z)] as number) / 4;
        }
      for (let k = 0; k < 2; k++) {
        const truth = [...label].map((index) => (k === 0 ? index > 0 : index === 2));
        const masks = truth.map((t, i) => [t, (mean[k * VOXELS + i] as number) > 0.5] as const);
        const [both, all] = [
          masks.filter(([t, f]) => t && f).length,
          masks.reduce((sum, [t, f]) => sum + Number(t) + Number(f), 0),
        ];
        assert.equal(found[c]?.[k], (2 * both) / all);
      }
    }
  });

  it('stops when the run is interrupted, between windows too', async () => {
    const controller = new AbortController();
    const stopping = {
      predict: ([image]: Float32Array[]) => {
        controller.abort();
        return Promise.resolve(find(image as Float32Array));
      },
    } as unknown as Network;
    await assert.rejects(
      evaluateCases(stopping, ['a'], context(size, sample, ['y'], controller.signal)),
      InterruptedError,
    );
  });
});

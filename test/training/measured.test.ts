// Further metrics of the test cases: a network whose predictions are known, measured by worker threads.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { volumeSize } from '../../src/data/preprocess.js';
import { type Network, InterruptedError } from '../../src/engine/engine.js';
import { countOverlap, measure } from '../../src/evaluation/measure.js';
import { stream } from '../../src/random.js';
import { parseCsv } from '../../src/runs/csv.js';
import { measureCases, summariseMeasured } from '../../src/training/measured.js';
import { casesText } from '../../src/training/outputs.js';

// An odd grid, anisotropic; x is fastest.
const [size, spacing] = [[5, 4, 3] as const, [0.5, 1, 2.5] as const];
const VOXELS = 60;
const random = stream(7, 'measured');
const label = Uint8Array.from({ length: VOXELS }, () => Math.floor(3 * random.uniform()));
/** Output 0 is label 1 or 2, output 1 is label 2. */
const targets = new Uint32Array(256);
targets.set([0b00, 0b01, 0b11]);
const probabilities = Float32Array.from({ length: 2 * VOXELS }, () => random.uniform());
/** Exactly 0.5 is outside. */
probabilities[3] = 0.5;
const blank = new Float32Array(2 * VOXELS);
const predictions = [probabilities, blank, blank];
const ids = ['a', 'b', 'c'];
/** Of the last case the second label is nowhere: neither in the truth nor predicted. */
const labels = [label, label, label.map((index) => Math.min(index, 1))];

function context(metrics: readonly ('dice' | 'hd95' | 'nsd' | 'assd')[], signal?: AbortSignal) {
  return {
    config: {
      metrics: [...metrics],
      tolerance: 0.7,
      training: { batch: 2 },
      inference: { overlap: 0.5, mirror: [] },
    },
    dataset: {
      caseAt: (id: string) =>
        Promise.resolve({
          image: Float32Array.of(ids.indexOf(id)),
          label: labels[ids.indexOf(id)] as Uint8Array,
          size: volumeSize(size),
        }),
      size: volumeSize(size),
      outputs: ['all', 'two'],
      spacing: () => spacing,
      targets,
    },
    engine: { description: { name: 'known', device: 'none', threads: 2 } },
    ...(signal && { signal }),
  } as unknown as Parameters<typeof measureCases>[2];
}

const network = {
  predict: ([image]: Float32Array[]) => Promise.resolve(predictions[image?.[0] as number]),
} as unknown as Network;

describe('further metrics', () => {
  it('are those of the predicted masks, output by output, on the grid in mm', async () => {
    const measured = await measureCases(network, ids, context(['nsd', 'dice', 'hd95']));
    assert.deepEqual(measured?.metrics, ['hd95', 'nsd']);
    for (const k of [0, 1]) {
      const pair = {
        reference: label.map((index) => Number(k === 0 ? index > 0 : index === 2)),
        prediction: Uint8Array.from(probabilities.slice(k * VOXELS, (k + 1) * VOXELS), (p) =>
          Number(p > 0.5),
        ),
        size,
        spacing,
      };
      const expected = measure(pair, countOverlap(pair, VOXELS), 0.7);
      assert.ok(expected.hd95 > 0 && expected.nsd > 0 && expected.nsd < 1);
      assert.deepEqual(measured.cases[0]?.[k], expected);
    }
  });
  it('are computed only where they are asked for', async () => {
    const [all, hd95, nsd] = await Promise.all(
      ([['hd95', 'nsd', 'assd'], ['hd95'], ['nsd']] as const).map(async (metrics) => {
        const measured = await measureCases(network, ['a'], context(metrics));
        return measured?.cases[0]?.[0];
      }),
    );
    assert.ok(all && Object.values(all).every(Number.isFinite));
    assert.deepEqual(hd95, { ...all, nsd: NaN });
    assert.deepEqual(nsd, { ...all, hd95: NaN, assd: NaN });
  });
  it('leave misses and cases without the label out of means of distances', async () => {
    const measured = await measureCases(network, ids, context(['hd95', 'nsd']));
    assert.ok(measured);
    const { means, misses } = summariseMeasured(measured);
    const [[a0, a1]] = measured.cases as unknown as [{ hd95: number; nsd: number }[]];
    assert.deepEqual(misses, [3, 2, 1]);
    assert.deepEqual(means.hd95, [((a0?.hd95 ?? NaN) + (a1?.hd95 ?? NaN)) / 2, a0?.hd95, a1?.hd95]);
    assert.deepEqual(means.nsd?.slice(1), [(a0?.nsd ?? NaN) / 3, (a1?.nsd ?? NaN) / 2]);
    const none = await measureCases(network, ['c'], context(['assd']));
    assert.deepEqual(none && summariseMeasured(none), {
      means: { assd: [null, null, null] },
      misses: [1, 1, 0],
    });
  });
  it('are columns of cases.csv, infinite distances and undefined ones told apart', async () => {
    const measured = await measureCases(network, ids, context(['hd95']));
    const text = casesText(
      ['all', 'two'],
      ids,
      [
        [0.5, 1],
        [0, 0],
        [0, 1],
      ],
      measured && { measured },
    );
    const rows = parseCsv(text);
    assert.deepEqual(Object.keys(rows[0] ?? {}), [
      'case', 'dice', 'dice_all', 'dice_two', 'hd95_mm', 'hd95_mm_all', 'hd95_mm_two',
    ]); // prettier-ignore
    assert.equal(rows[0]?.['hd95_mm_all'], String(measured?.cases[0]?.[0]?.hd95));
    assert.deepEqual(
      rows.slice(1).map((row) => [row['hd95_mm'], row['hd95_mm_all'], row['hd95_mm_two']]),
      [
        ['inf', 'inf', 'inf'],
        ['inf', 'inf', ''],
      ],
    );
  });
  it('are not measured where Dice is all, and stop when the run is interrupted', async () => {
    const unused = { predict: () => assert.fail('predicted') } as unknown as Network;
    assert.equal(await measureCases(unused, ids, context(['dice'])), undefined);
    await assert.rejects(measureCases(unused, ids, context(['hd95'], AbortSignal.abort())), InterruptedError);
    const controller = new AbortController();
    const last = {
      predict: ([image]: Float32Array[]) => {
        if (image?.[0] === 2) controller.abort();
        return network.predict(image ? [image] : [], 'running');
      },
    } as unknown as Network;
    await assert.rejects(measureCases(last, ids, context(['hd95'], controller.signal)), InterruptedError);
  });
});

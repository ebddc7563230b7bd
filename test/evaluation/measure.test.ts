// Measures against stored numbers of SciPy, MONAI and google-deepmind/surface-distance (fixtures/generate.py), distances
// against trying all sites, and what is true of any two masks.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Extent } from '../../src/data/preprocess.js';
import { boundaryOf, indicesOf } from '../../src/evaluation/boundary.js';
import { nearestDistances } from '../../src/evaluation/distance.js';
import { countOverlap, measure } from '../../src/evaluation/measure.js';
import { MEASURES } from '../../src/evaluation/names.js';
import { cornerCodes, elementAreas } from '../../src/evaluation/surface.js';

interface Fixture {
  readonly pairs: readonly {
    readonly name: string;
    readonly size: Extent;
    readonly spacing: Extent;
    readonly tolerance: number;
    readonly reference: string;
    readonly prediction: string;
    readonly dice: number;
    readonly iou: number;
    readonly scipy: { readonly hd95: number; readonly assd: number };
    readonly monai: { readonly hd95: number; readonly assd: number; readonly nsd: number };
    readonly deepmind: { readonly nsd: number; readonly area: readonly [number, number] };
  }[];
  readonly areas: readonly { readonly spacing: Extent; readonly byCode: readonly number[] }[];
}

const { pairs, areas } = JSON.parse(
  readFileSync(new URL('../../../test/evaluation/fixtures/measures.json', import.meta.url), 'utf8'),
) as Fixture;

function unpack(hex: string, voxels: number): Uint8Array {
  const bytes = Buffer.from(hex, 'hex');
  return Uint8Array.from({ length: voxels }, (_, i) => ((bytes[i >> 3] as number) >> (i & 7)) & 1);
}

/** Equal but for rounding; MONAI computes in float32. */
function close(found: number, expected: number, within = 1e-9): void {
  assert.ok(
    Math.abs(found - expected) <= within * Math.max(1, Math.abs(expected)),
    `${found}, not ${expected}`,
  );
}

for (const { name, size, spacing, tolerance, ...pair } of pairs)
  test(`measures as others: ${name}`, () => {
    const voxels = size[0] * size[1] * size[2];
    const masks = {
      reference: unpack(pair.reference, voxels),
      prediction: unpack(pair.prediction, voxels),
      size,
      spacing,
    };
    const counts = countOverlap(masks, voxels);
    assert.equal(counts.tp + counts.fp + counts.fn + counts.tn, voxels);
    const found = measure(masks, counts, tolerance);
    close(found.dice, pair.dice);
    close(found.iou, pair.iou);
    close(found.hd95, pair.scipy.hd95);
    close(found.assd, pair.scipy.assd);
    close(found.nsd, pair.deepmind.nsd);
    close(found.hd95, pair.monai.hd95, 1e-6);
    close(found.assd, pair.monai.assd, 1e-6);
    close(found.nsd, pair.monai.nsd, 1e-6);
    const table = elementAreas(spacing);
    for (const [i, mask] of [masks.reference, masks.prediction].entries())
      close(
        cornerCodes(mask, size).reduce((sum, code) => sum + (table[code] as number), 0),
        pair.deepmind.area[i] as number,
      );
  });

test('areas of all 256 surface elements are those of surface-distance', () => {
  for (const { spacing, byCode } of areas) {
    const found = elementAreas(spacing);
    assert.equal(found.length, byCode.length);
    byCode.forEach((area, code) => close(found[code] as number, area));
  }
});

const extent = (most: number): fc.Arbitrary<Extent> =>
  fc.tuple(
    fc.integer({ min: 1, max: most }),
    fc.integer({ min: 1, max: most }),
    fc.integer({ min: 1, max: most }),
  );
const spacings = fc.tuple(
  fc.double({ min: 0.1, max: 10, noNaN: true }),
  fc.double({ min: 0.1, max: 10, noNaN: true }),
  fc.double({ min: 0.1, max: 10, noNaN: true }),
);
/** Masks of a size from very sparse to full. */
const maskOf = ([x, y, z]: Extent): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      fc.array(fc.integer({ min: 0, max: 99 }), { minLength: x * y * z, maxLength: x * y * z }),
      fc.integer({ min: 0, max: 100 }),
    )
    .map(([values, share]) => Uint8Array.from(values, (value) => (value < share ? 1 : 0)));

test('distances are those of the nearest of all sites', () => {
  const inputs = extent(7).chain((size) => fc.tuple(fc.constant(size), spacings, maskOf(size), maskOf(size)));
  fc.assert(
    fc.property(inputs, ([size, spacing, sites, wanted]) => {
      const place = (i: number): number[] => [
        i % size[0],
        Math.floor(i / size[0]) % size[1],
        Math.floor(i / (size[0] * size[1])),
      ];
      const queries = indicesOf(wanted);
      const found = nearestDistances(sites, queries, size, spacing);
      queries.forEach((query, at) => {
        const nearest = [...indicesOf(sites)].reduce((best, site) => {
          const apart = place(query).map(
            (value, axis) => (value - (place(site)[axis] as number)) * (spacing[axis] as number),
          );
          return Math.min(best, Math.hypot(...apart));
        }, Infinity);
        if (nearest === Infinity) assert.equal(found[at], Infinity);
        else close(found[at] as number, nearest);
      });
    }),
    { numRuns: 200 },
  );
});

test('a boundary is what erosion takes away', () => {
  // A 3x3x3 block inside a 5x5x5 grid loses all but its centre to the boundary; one that fills a grid, all but its inside.
  const block = Uint8Array.from({ length: 125 }, (_, i) => {
    const place = [i % 5, Math.floor(i / 5) % 5, Math.floor(i / 25)];
    return place.every((value) => value >= 1 && value <= 3) ? 1 : 0;
  });
  assert.equal(indicesOf(boundaryOf(block, [5, 5, 5])).length, 26);
  assert.equal(boundaryOf(block, [5, 5, 5])[62], 0);
  assert.equal(indicesOf(boundaryOf(new Uint8Array(60).fill(1), [3, 4, 5])).length, 60 - 1 * 2 * 3);
});

test('empty masks: nothing to measure, or a miss', () => {
  const empty = new Uint8Array(8);
  const full = new Uint8Array(8).fill(1);
  const of = (reference: Uint8Array, prediction: Uint8Array) => {
    const pair = { reference, prediction, size: [2, 2, 2] as const, spacing: [1, 1, 1] as const };
    return measure(pair, countOverlap(pair, 8), 1);
  };
  assert.deepEqual(of(empty, empty), { dice: NaN, iou: NaN, hd95: NaN, assd: NaN, nsd: NaN });
  const miss = { dice: 0, iou: 0, hd95: Infinity, assd: Infinity, nsd: 0 };
  assert.deepEqual(of(full, empty), miss);
  assert.deepEqual(of(empty, full), miss);
});

test('measures are the same the other way round, and whichever way the axes run', () => {
  const inputs = extent(6).chain((size) => fc.tuple(fc.constant(size), spacings, maskOf(size), maskOf(size)));
  fc.assert(
    fc.property(inputs, ([size, spacing, reference, prediction]) => {
      const of = (pair: Parameters<typeof measure>[0]): number[] => {
        const found = measure(pair, countOverlap(pair, 0), 2);
        return MEASURES.map((name) => found[name]);
      };
      const here = of({ reference, prediction, size, spacing });
      const swapped = of({ reference: prediction, prediction: reference, size, spacing });
      const turned = of({
        reference: reference.slice().reverse(),
        prediction: prediction.slice().reverse(),
        size,
        spacing,
      });
      here.forEach((value, i) => {
        if (!Number.isFinite(value)) assert.deepEqual([swapped[i], turned[i]], [value, value]);
        else [swapped, turned].forEach((other) => close(other[i] as number, value));
      });
    }),
    { numRuns: 100 },
  );
});

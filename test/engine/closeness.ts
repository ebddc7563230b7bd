// How close the results of two engines must be.

import assert from 'node:assert/strict';
import { type Weights } from '../../src/network/weights.js';

/** The largest difference, relative to the largest expected magnitude. */
export function distance(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  assert.equal(found.length, expected.length);
  let largest = 0;
  let scale = 1e-12;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs((found[i] as number) - (expected[i] as number));
    assert.ok(Number.isFinite(difference), `not finite at ${i}`);
    largest = Math.max(largest, difference);
    scale = Math.max(scale, Math.abs(expected[i] as number));
  }
  return largest / scale;
}

export function assertClose(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  const found_ = distance(found, expected);
  assert.ok(found_ <= tolerance, `${what}: off by ${found_}, allowed ${tolerance}`);
}

/** The largest difference of all tensors of two networks, relative to the largest magnitude in any of them. */
export function assertTensorsClose(found: Weights, expected: Weights, tolerance: number, what: string): void {
  assert.deepEqual([...found.keys()], [...expected.keys()]);
  // The gradient of a bias before a batch norm is nearly 0, because large sums cancel. Its error depends on the size of
  // these sums, which is that of the other gradients.
  const scale = Math.max(...[...expected.values()].map(({ data }) => Math.max(...data.map(Math.abs))));
  for (const [name, { data, shape }] of expected) {
    const other = found.get(name) as { data: Float32Array; shape: readonly number[] };
    assert.deepEqual(other.shape, shape, `${what}: shape of ${name}`);
    const own = Math.max(...data.map(Math.abs));
    for (let i = 0; i < data.length; i++) {
      const difference = Math.abs((other.data[i] as number) - (data[i] as number));
      assert.ok(
        difference <= tolerance * (own + 0.05 * scale),
        `${what}: ${name}[${i}]: found ${other.data[i]}, expected ${data[i]}`,
      );
    }
  }
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildArchitecture } from '../../src/network/architecture.js';
import { activationBytes, countMultiplyAdds, listOperations } from '../../src/network/cost.js';
import { countParameters } from '../../src/network/parameters.js';

test('costs of a small network, counted by hand', () => {
  const architecture = {
    inputChannels: 2,
    labels: 3,
    skips: true,
    encoder: [[4], [5]],
    decoder: [[6]],
    up: [7],
  };
  const operations = listOperations(architecture, 512);
  assert.deepEqual(
    operations.map(({ name, inputs, outputs, multiplyAdds }) => [name, inputs, outputs, multiplyAdds]),
    [
      ['encoder.0.0', 2, 4, 512 * 27 * 8],
      ['encoder.1.0', 4, 5, 64 * 27 * 20],
      // Each of the 512 output voxels has one of the 8 kernel positions: 5 x 7 multiply-adds.
      ['up.0', 5, 7, 512 * 35],
      ['decoder.0.0', 11, 6, 512 * 27 * 66],
      ['head', 6, 3, 512 * 18],
    ],
  );
  assert.equal(countMultiplyAdds(architecture, 512), 110592 + 34560 + 17920 + 912384 + 9216);
  assert.equal(activationBytes(architecture, 512), 4 * (512 * (4 + 7 + 6) + 64 * 5));
});

test('parameters of the operations are those of the network', () => {
  const shapes = fc.record({
    family: fc.constantFrom('unet' as const, 'lunet' as const),
    n: fc.integer({ min: 1, max: 6 }),
    levels: fc.integer({ min: 1, max: 6 }),
    convs: fc.integer({ min: 1, max: 4 }),
    scale: fc.constantFrom(1, 0.5),
    skips: fc.boolean(),
  });
  fc.assert(
    fc.property(
      shapes,
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 5 }),
      (shape, inputs, labels) => {
        const architecture = buildArchitecture(shape, inputs, labels);
        const parameters = listOperations(architecture, 64 ** 3).map((operation) => operation.parameters);
        assert.equal(
          parameters.reduce((a, b) => a + b, 0),
          countParameters(architecture),
        );
      },
    ),
  );
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildArchitecture, listLayers } from '../../src/network/architecture.js';
import { countParameters } from '../../src/network/parameters.js';

describe('parameter counts', () => {
  const count = (family: 'unet' | 'lunet', n: number): number =>
    countParameters(buildArchitecture({ family, n, levels: 5, convs: 2, scale: 1, skips: true }, 1, 1));
  for (const [family, n, expected] of [
    ['unet', 4, 353_949],
    ['unet', 2, 88_807],
    ['lunet', 8, 39_025],
    ['lunet', 4, 9_929],
    ['lunet', 2, 2_569],
  ] as const) {
    it(`${family} n=${n} has ${expected}`, () => assert.equal(count(family, n), expected));
  }
});

describe('layers', () => {
  it('are listed in the order in which data flows, all prunable but the last', () => {
    const layers = listLayers(
      buildArchitecture({ family: 'unet', n: 4, levels: 3, convs: 2, scale: 1, skips: true }, 1, 1),
    );
    assert.deepEqual(
      layers.map(({ name, inputs, width }) => [name, inputs, width]),
      [
        ['encoder.0.0', 1, 4],
        ['encoder.0.1', 4, 4],
        ['encoder.1.0', 4, 8],
        ['encoder.1.1', 8, 8],
        ['encoder.2.0', 8, 16],
        ['encoder.2.1', 16, 16],
        ['decoder.1.0', 16, 8],
        ['decoder.1.1', 8, 8],
        ['decoder.0.0', 8, 4],
        ['decoder.0.1', 4, 4],
      ],
    );
    assert.deepEqual(
      layers.filter(({ prunable }) => !prunable).map(({ name }) => name),
      ['decoder.0.1'],
    );
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Engine } from '../../src/engine/engine.js';
import { createEngine } from '../../src/engine/index.js';
import { type Architecture, type Layer, listLayers } from '../../src/network/architecture.js';
import { countParameters, elementCount, listTensors } from '../../src/network/parameters.js';
import {
  possibleRemovals,
  prunableChannels,
  removeChannel,
  removeChannelFromArchitecture,
} from '../../src/network/surgery.js';
import { type Weights, initialWeights, tensorOf } from '../../src/network/weights.js';
import { stream } from '../../src/random.js';
import { oracle } from '../engine/oracle.js';

/** Any architecture with up to `levels` levels, `convs` layers per block and `width` channels per layer. */
function architectures(levels: number, convs: number, width: number): fc.Arbitrary<Architecture> {
  const channels = fc.integer({ min: 1, max: width });
  return fc
    .tuple(fc.integer({ min: 1, max: levels }), fc.integer({ min: 1, max: convs }))
    .chain(([depth, layers]) => {
      const blocks = (count: number): fc.Arbitrary<number[][]> =>
        fc.array(fc.array(channels, { minLength: layers, maxLength: layers }), {
          minLength: count,
          maxLength: count,
        });
      return fc.record({
        inputChannels: fc.integer({ min: 1, max: 3 }),
        labels: fc.integer({ min: 1, max: 3 }),
        skips: fc.boolean(),
        encoder: blocks(depth),
        decoder: blocks(depth - 1),
        up: fc.array(channels, { minLength: depth - 1, maxLength: depth - 1 }),
      });
    });
}

const removableLayers = (architecture: Architecture): Layer[] =>
  listLayers(architecture).filter(({ prunable, width }) => prunable && width > 1);

const newWeights = (architecture: Architecture): Weights =>
  initialWeights(architecture, stream(1, 'surgery'));

/** Checks that the shapes of weights match the architecture. */
function assertFits(architecture: Architecture, weights: Weights): void {
  assert.deepEqual(
    [...weights].map(([name, { shape, data }]) => [name, [...shape], data.length]),
    listTensors(architecture).map(({ name, shape }) => [name, [...shape], elementCount(shape)]),
  );
}

describe('removing a channel', () => {
  it('gives the output of a network in which it is zero, whatever the architecture', async () => {
    const engines: Engine[] = [oracle];
    if (process.env['LUNET_WITHOUT_NATIVE'] !== '1')
      engines.push(await createEngine('native', { threads: 2 }));
    await fc.assert(
      fc.asyncProperty(
        architectures(3, 2, 4),
        fc.nat(),
        fc.nat(),
        async (architecture, layerPick, channelPick) => {
          const layers = removableLayers(architecture);
          fc.pre(layers.length > 0);
          const layer = layers[layerPick % layers.length] as Layer;
          const channel = channelPick % layer.width;
          const weights = newWeights(architecture);
          const zeroed = new Map(
            [...weights].map(([name, { shape, data }]) => {
              const own = ['conv.weight', 'conv.bias', 'norm.weight', 'norm.bias'].some(
                (part) => name === `${layer.name}.${part}`,
              );
              const size = data.length / (shape[0] as number);
              return [
                name,
                { shape, data: own ? data.slice().fill(0, channel * size, (channel + 1) * size) : data },
              ] as const;
            }),
          );
          const pruned = removeChannel(architecture, weights, { layer: layer.name, channel });
          assertFits(pruned.architecture, pruned.weights);
          const size = [4, 8, 4] as const;
          const random = stream(2, 'image');
          const image = Float32Array.from({ length: 128 * architecture.inputChannels }, () =>
            random.normal(),
          );
          for (const engine of engines) {
            const run = async (shape: Architecture, tensors: Weights): Promise<Float32Array> => {
              const network = await engine.load(
                {
                  architecture: shape,
                  size,
                  maxBatch: 1,
                  targets: new Uint32Array(256),
                  adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
                },
                tensors,
              );
              const output = await network.predict([image], 'batch');
              network.dispose();
              return output;
            };
            const expected = await run(architecture, zeroed);
            const found = await run(pruned.architecture, pruned.weights);
            for (const [i, value] of expected.entries())
              assert.ok(
                Math.abs((found[i] as number) - value) < 1e-4,
                `${engine.description.name}: voxel ${i}`,
              );
          }
        },
      ),
      { numRuns: 60, seed: 5 },
    );
  });

  it('follows the skip at its true offset when the halves of the concat are unequal', () => {
    const architecture: Architecture = {
      inputChannels: 1,
      labels: 1,
      skips: true,
      encoder: [[2, 3], [4]],
      decoder: [[5, 2]],
      up: [4],
    };
    const weights = newWeights(architecture);
    const { weights: pruned } = removeChannel(architecture, weights, { layer: 'encoder.0.1', channel: 1 });
    const before = tensorOf(weights, 'decoder.0.0.conv.weight').data;
    const after = tensorOf(pruned, 'decoder.0.0.conv.weight').data;
    // The inputs are four channels of the up-convolution, then three of the skip; one of the skip is removed.
    const kept = [0, 1, 2, 3, 4, 6];
    for (let output = 0; output < 5; output++)
      for (const [to, from] of kept.entries())
        assert.deepEqual(
          after.slice((output * 6 + to) * 27, (output * 6 + to + 1) * 27),
          before.slice((output * 7 + from) * 27, (output * 7 + from + 1) * 27),
        );
  });

  it('goes on to one channel everywhere, with the parameters that the architecture counts', () => {
    fc.assert(
      fc.property(architectures(5, 4, 5), fc.infiniteStream(fc.nat()), (start, picks) => {
        let [architecture, weights] = [start, newWeights(start)];
        const total = possibleRemovals(start);
        for (let removed = 0; removed < total; removed++) {
          const layers = removableLayers(architecture);
          const layer = layers[(picks.next().value as number) % layers.length] as Layer;
          const channel = (picks.next().value as number) % layer.width;
          const alone = removeChannelFromArchitecture(architecture, { layer: layer.name, channel });
          ({ architecture, weights } = removeChannel(architecture, weights, { layer: layer.name, channel }));
          assert.deepEqual(architecture, alone);
        }
        assertFits(architecture, weights);
        const trained = [...weights].filter(([name]) => !/running_(mean|var)$/.test(name));
        assert.equal(
          trained.reduce((sum, [, { data }]) => sum + data.length, 0),
          countParameters(architecture),
        );
        assert.equal(possibleRemovals(architecture), 0);
        assert.equal(
          prunableChannels(architecture),
          listLayers(architecture).filter(({ prunable }) => prunable).length,
        );
      }),
      { numRuns: 40, seed: 6 },
    );
  });

  it('refuses what cannot go', () => {
    const architecture: Architecture = {
      inputChannels: 1,
      labels: 1,
      skips: true,
      encoder: [[1, 2], [2]],
      decoder: [[2, 2]],
      up: [2],
    };
    const weights = newWeights(architecture);
    const remove = (layer: string, channel: number) => () =>
      removeChannel(architecture, weights, { layer, channel });
    assert.throws(remove('encoder.0.0', 0), /one channel left/);
    assert.throws(remove('decoder.0.1', 0), /feeds the head/);
    assert.throws(remove('encoder.0.1', 2), /channels 0 to 1/);
    assert.throws(remove('encoder.7.0', 0), /no layer/);
  });
});

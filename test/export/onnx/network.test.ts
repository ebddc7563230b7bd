// Exported graphs are read back by another reader, run in plain loops, and compared with the network itself.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeGraph } from '../../../src/export/onnx/graph.js';
import { type Precision, networkGraph } from '../../../src/export/onnx/network.js';
import { type Weights } from '../../../src/network/weights.js';
import { type EngineCase, batchFor, engineCases, weightsFor } from '../../engine/cases.js';
import { assertClose } from '../../engine/closeness.js';
import { plainForward } from '../../engine/plain.js';
import { interpret } from './interpret.js';
import { fromHalf, readOnnx } from './read.js';
import { float16Bits } from '../../../src/export/onnx/float16.js';

const HEADER = { name: 'net', description: '', producer: 'lunet', producerVersion: '1', metadata: {} };

const exported = ({ architecture }: EngineCase, weights: Weights, precision: Precision): Uint8Array =>
  encodeGraph(networkGraph(architecture, weights, precision), HEADER);

/** Runs a file on a case's images, all at once. */
function run(file: Uint8Array, engineCase: EngineCase, images: readonly Float32Array[]): Float64Array {
  const shape = [images.length, engineCase.architecture.inputChannels, ...engineCase.size];
  const data = Float64Array.from(images.flatMap((image) => [...image]));
  const output = interpret(readOnnx(file), { shape, data });
  assert.deepEqual(output.shape, [images.length, engineCase.architecture.labels, ...engineCase.size]);
  return output.data;
}

function expected(engineCase: EngineCase, weights: Weights, images: readonly Float32Array[]): number[] {
  const { architecture, size } = engineCase;
  return images.flatMap((image) =>
    plainForward(architecture, weights, image, size).probabilities.flatMap((channel) => [...channel]),
  );
}

describe('a network as ONNX', () => {
  for (const engineCase of engineCases)
    test(`computes the same: ${engineCase.name}`, () => {
      const weights = weightsFor(engineCase);
      const images = batchFor(engineCase)
        .slice(0, 2)
        .map(({ image }) => image);
      const found = run(exported(engineCase, weights, 'float32'), engineCase, images);
      // Scale and shift of batch norm are rounded to float32 once.
      assertClose(found, expected(engineCase, weights, images), 1e-5, engineCase.name);
    });

  test('in half precision, computes what the rounded weights give', () => {
    const engineCase = engineCases.find(({ name }) => name.startsWith('three inputs')) as EngineCase;
    const weights = weightsFor(engineCase);
    const [image] = batchFor(engineCase).map(({ image }) => image) as [Float32Array];
    const half = exported(engineCase, weights, 'float16');
    const full = exported(engineCase, weights, 'float32');
    // What is stored is what is stored in full precision, filters rounded.
    const stored = new Map(readOnnx(half).tensors.map(({ name, ...tensor }) => [name, tensor]));
    for (const { name, ...tensor } of readOnnx(full).tensors)
      if (tensor.shape.length === 5) {
        const data = tensor.data.map((value) => fromHalf(float16Bits(value)));
        assert.deepEqual(stored.get(`${name}.half`), { ...tensor, type: 10, data });
      } else assert.deepEqual(stored.get(name), tensor);
    const distance = 0.02;
    assertClose(
      run(half, engineCase, [image]),
      expected(engineCase, weights, [image]),
      distance,
      'half precision',
    );
    assert.notDeepEqual(run(half, engineCase, [image]), run(full, engineCase, [image]));
  });

  test('is refused in half precision where a weight is too large', () => {
    const [engineCase] = engineCases as [EngineCase];
    const weights = weightsFor(engineCase);
    const { data } = weights.get('head.weight') as { data: Float32Array };
    data[1] = -65520;
    assert.throws(() => exported(engineCase, weights, 'float16'), {
      name: 'UserError',
      message: 'head.weight: found -65520, but half precision ends at 65504; export without --half',
    });
    exported(engineCase, weights, 'float32');
  });

  test('says what it is, with free sizes, the same bytes each time', () => {
    const engineCase = engineCases.find(({ name }) => name.startsWith('three inputs')) as EngineCase;
    const weights = weightsFor(engineCase);
    const header = { ...HEADER, name: 'häuser', metadata: { model: '{"a": "ü"}', note: '' } };
    const graph = networkGraph(engineCase.architecture, weights, 'float32');
    const file = encodeGraph(graph, header);
    assert.deepEqual(file, encodeGraph(networkGraph(engineCase.architecture, weights, 'float32'), header));
    const { tensors, nodes, ...rest } = readOnnx(file);
    assert.deepEqual(rest, {
      irVersion: 8,
      producer: 'lunet',
      operatorSet: 17,
      graphName: 'häuser',
      metadata: header.metadata,
      inputs: [{ name: 'image', type: 1, shape: ['N', 3, 'D', 'H', 'W'] }],
      outputs: [{ name: 'probabilities', type: 1, shape: ['N', 5, 'D', 'H', 'W'] }],
    });
    const names = [...tensors.map(({ name }) => name), ...nodes.flatMap(({ outputs }) => outputs)];
    assert.equal(new Set(names).size, names.length);
  });
});

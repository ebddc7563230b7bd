import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CheckError } from '../../src/model/check.js';
import { MODEL_KEY, type ModelDescription, modelOf, parseDescription } from '../../src/model/model.js';
import { decodeSafetensors } from '../../src/model/safetensors.js';
import { buildArchitecture } from '../../src/network/architecture.js';
import { initialWeights } from '../../src/network/weights.js';
import { stream } from '../../src/random.js';
import { encodeSafetensors } from '../../src/runs/safetensors.js';

const architecture = buildArchitecture(
  { family: 'lunet', n: 2, levels: 2, convs: 1, scale: 1, skips: true },
  2,
  2,
);
const weights = initialWeights(architecture, stream(1, 'weights'));

const FULL: ModelDescription = {
  format: 1,
  name: 'brain/lunet-n2/seed-1',
  architecture,
  outputs: [
    { name: 'whole', values: [1, 2] },
    { name: 'core', values: [2] },
  ],
  channels: ['T1', 'T2'],
  preprocessing: {
    size: [16, 32, 8],
    spacing: [1, 1, 2.5],
    normalisation: { percentile: [1, 99] },
    orientation: 'RAS',
  },
  mirror: ['x'],
  inference: { overlap: 0.75, mirror: ['x'] },
  training: {
    cases: 3,
    size: { min: [10, 20, 5], max: [20, 30, 9] },
    spacing: { min: [1, 1, 2], max: [1, 1, 3] },
    intensity: [
      { min: -5, max: 100 },
      { min: 0, max: 1.5 },
    ],
    orientations: ['LPS', 'RAS'],
  },
  run: { key: 'ab', experiment: 'brain', method: 'lunet-n2', seed: 1, data: 'cd' },
  licence: 'CC0',
};

/** The full description with a value changed at a dotted key; undefined takes it away. */
function changed(key: string, value: unknown): string {
  const copy = structuredClone(FULL) as unknown as Record<string, unknown>;
  const keys = key.split('.');
  const parent = keys.slice(0, -1).reduce((at, name) => at[name] as Record<string, unknown>, copy);
  parent[keys.at(-1) as string] = value;
  return JSON.stringify(copy);
}

describe('a model', () => {
  it('comes back from its file as it was', () => {
    const bytes = encodeSafetensors({ tensors: weights, metadata: { [MODEL_KEY]: JSON.stringify(FULL) } });
    const { tensors, metadata } = decodeSafetensors(bytes);
    const { weights: found, ...description } = modelOf(tensors, metadata);
    assert.deepEqual(description, FULL);
    assert.deepEqual([...found], [...weights]);
  });

  it('needs neither spacing, ranges nor a licence, and ignores what it does not know', () => {
    for (const key of ['preprocessing.spacing', 'training', 'licence'])
      parseDescription(changed(key, undefined));
    assert.deepEqual(parseDescription(changed('more', 1)), FULL);
  });

  it('may have a normalisation for each channel, with the constants of training', () => {
    const each = [{ clip: [-80, 300], mean: 90.5, deviation: 41 }, 'z-score-nonzero'];
    for (const [key, value] of [
      ['normalisation', each],
      ['normalisation', each[0]],
      ['antialias', true],
      ['anisotropic', true],
    ] as const)
      assert.deepEqual(parseDescription(changed(`preprocessing.${key}`, value)), {
        ...FULL,
        preprocessing: { ...FULL.preprocessing, [key]: value },
      });
  });

  it('is refused with the key, what was found and what was expected', () => {
    const cases: [key: string, value: unknown, message: RegExp][] = [
      ['format', 2, /^format: found a model of version 2, expected 1/],
      ['format', undefined, /^format: found a model of version none/],
      ['name', '', /^name: found "", expected text/],
      ['architecture.up', [], /^architecture: found 2 encoder, 1 decoder and 0 up levels/],
      ['architecture.encoder', [[0], [2]], /^architecture\.encoder\[0\]\[0\]: found 0, expected a whole/],
      ['outputs', [FULL.outputs[0]], /^outputs: found 1 for an architecture with 2/],
      ['outputs.0.values', ['a'], /^outputs\[0\]\.values\[0\]: found "a"/],
      ['channels', ['T1'], /^channels: found 1 for an architecture with 2/],
      ['preprocessing.size', [16, 16], /^preprocessing\.size: found \[16,16\], expected a list of 3/],
      [
        'preprocessing.size',
        [16, 15, 16],
        /^preprocessing\.size: found 16 x 15 x 16, expected multiples of 2/,
      ],
      [
        'preprocessing.spacing',
        [1, 0, 1],
        /^preprocessing\.spacing\[1\]: found 0, expected a number above 0/,
      ],
      [
        'preprocessing.normalisation',
        'ct',
        /^preprocessing\.normalisation: found "ct", expected z-score or z-score-nonzero or none/,
      ],
      ['preprocessing.normalisation', {}, /found neither window, percentile nor clip/],
      ['preprocessing.normalisation', ['none'], /^preprocessing\.normalisation: found 1 for 2 channels/],
      [
        'preprocessing.normalisation',
        ['none', { clip: [0, 1], mean: 0, deviation: 0 }],
        /^preprocessing\.normalisation\[1\]\.deviation: found 0, expected a number above 0/,
      ],
      ['preprocessing.antialias', 1, /^preprocessing\.antialias: found 1, expected true or false/],
      ['preprocessing.orientation', 'LPS', /^preprocessing\.orientation: found "LPS", expected RAS or keep/],
      ['mirror', ['w'], /^mirror\[0\]: found "w"/],
      ['training.size', null, /^training\.size: found null, expected an object/],
      ['run.seed', -1, /^run\.seed: found -1/],
    ];
    for (const [key, value, message] of cases)
      assert.throws(
        () => parseDescription(changed(key, value)),
        (error) => error instanceof CheckError && message.test(error.message),
        `${key} ${JSON.stringify(value)}`,
      );
    assert.throws(() => parseDescription('{'), /model: found no JSON/);
  });

  it('is refused with tensors of another architecture, or without a description', () => {
    const metadata = { [MODEL_KEY]: JSON.stringify(FULL) };
    const fewer = new Map([...weights].slice(1));
    assert.throws(() => modelOf(fewer, metadata), /encoder\.0\.0\.conv\.weight: found nothing/);
    const more = new Map([...weights, ['more', { shape: [1], data: new Float32Array(1) }]]);
    assert.throws(() => modelOf(more, metadata), /found 23 tensors where its architecture has 22/);
    assert.throws(() => modelOf(weights, {}), /found no model in its metadata/);
  });
});

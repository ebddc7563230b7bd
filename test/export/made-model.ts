// A model without training: what a model file holds, with weights away from their first values.

import { type Model, MODEL_KEY } from '../../src/model/model.js';
import { buildArchitecture } from '../../src/network/architecture.js';
import { encodeSafetensors } from '../../src/runs/safetensors.js';
import { weightsFor } from '../engine/cases.js';

const architecture = buildArchitecture(
  { family: 'lunet', n: 3, levels: 3, convs: 1, scale: 1, skips: true },
  2,
  2,
);

export const madeModel: Model = {
  format: 1,
  name: 'made/lunet-n3/seed-1',
  architecture,
  outputs: [
    { name: 'whole', values: [1, 2] },
    { name: 'core', values: [2] },
  ],
  channels: ['T1', 'T2'],
  preprocessing: {
    size: [8, 12, 16],
    spacing: [1, 1, 2.5],
    normalisation: { window: [-100, 300] },
    orientation: 'RAS',
  },
  mirror: ['x'],
  run: { key: '0123456789abcdef', experiment: 'made', method: 'lunet-n3', seed: 1, data: 'd1' },
  licence: 'CC-BY-SA 4.0',
  weights: weightsFor({ name: 'made', architecture, size: [16, 12, 8], batch: 1, dropout: 0 }),
};

/** The bytes of its model file. */
export function madeModelFile({ weights, ...description }: Model = madeModel): Uint8Array {
  return encodeSafetensors({ tensors: weights, metadata: { [MODEL_KEY]: JSON.stringify(description) } });
}

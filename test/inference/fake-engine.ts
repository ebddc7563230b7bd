// An engine whose network is a function of a window, and a model to go with it.

import { type Engine, type Network } from '../../src/engine/engine.js';
import { type Model } from '../../src/model/model.js';
import { buildArchitecture } from '../../src/network/architecture.js';
import { initialWeights } from '../../src/network/weights.js';
import { stream } from '../../src/random.js';

/** Probabilities (outputs, z, y, x) of a window (channels, z, y, x). */
export type Predictor = (image: Float32Array) => Float32Array;

export function fakeEngine(predictor: Predictor): Engine & { readonly batches: number[] } {
  const batches: number[] = [];
  const network = {
    predict: (images: readonly Float32Array[]) => {
      batches.push(images.length);
      const parts = images.map(predictor);
      const length = parts[0]?.length ?? 0;
      const all = new Float32Array(parts.length * length);
      parts.forEach((part, i) => all.set(part, i * length));
      return Promise.resolve(all);
    },
    dispose: () => undefined,
  } as unknown as Network;
  return {
    batches,
    description: { name: 'fake', device: 'none', threads: 1 },
    load: () => Promise.resolve(network),
    estimateMemory: () => 0,
  };
}

/** A model that passes voxels on as they are, unless told otherwise. */
export function modelWith(
  outputs: Model['outputs'],
  preprocessing: Partial<Model['preprocessing']>,
  channels = ['image'],
): Model {
  const shape = { family: 'lunet', n: 1, levels: 2, convs: 1, scale: 1, skips: true } as const;
  const architecture = buildArchitecture(shape, channels.length, outputs.length);
  return {
    format: 1,
    name: 'test',
    architecture,
    outputs,
    channels,
    preprocessing: { size: [8, 8, 8], normalisation: 'none', orientation: 'RAS', ...preprocessing },
    mirror: [],
    run: { key: 'k', experiment: 'e', method: 'm', seed: 1, data: 'd' },
    weights: initialWeights(architecture, stream(1, 'weights')),
  };
}

// The networks on which every engine is tested: one case per line, with odd sizes and uneven widths.

import { type NetworkSettings, type Sample, type VolumeSize } from '../../src/engine/engine.js';
import { type Architecture, totalChannels } from '../../src/network/architecture.js';
import { type Weights, initialWeights } from '../../src/network/weights.js';
import { stream } from '../../src/random.js';

export interface EngineCase {
  readonly name: string;
  readonly architecture: Architecture;
  readonly size: VolumeSize;
  readonly batch: number;
  readonly dropout: number;
}

/** A case from its blocks: encoder and decoder widths, up widths. */
function engineCase(
  name: string,
  [inputChannels, labels]: [number, number],
  [encoder, decoder, up]: [number[][], number[][], number[]],
  size: VolumeSize,
  batch: number,
  dropout: number,
  skips = true,
): EngineCase {
  return { name, architecture: { inputChannels, labels, skips, encoder, decoder, up }, size, batch, dropout };
}

export const engineCases: readonly EngineCase[] = [
  engineCase('one level, one layer', [1, 1], [[[3]], [], []], [5, 7, 9], 1, 0),
  engineCase('two levels, odd coarse sizes', [1, 1], [[[4], [5]], [[3]], [2]], [6, 10, 14], 2, 0.3),
  engineCase(
    'three inputs, five labels, two layers',
    [3, 5],
    [
      [
        [3, 5],
        [7, 2],
      ],
      [[4, 6]],
      [5],
    ],
    [6, 4, 10],
    2,
    0.2,
  ),
  engineCase(
    'three levels without skips',
    [2, 2],
    [
      [
        [2, 3],
        [4, 1],
        [3, 5],
      ],
      [
        [2, 2],
        [3, 3],
      ],
      [1, 4],
    ],
    [8, 12, 4],
    3,
    0.25,
    false,
  ),
  engineCase(
    'four layers a block, W of 3 at the bottom',
    [1, 3],
    [
      [
        [1, 2, 3, 4],
        [5, 4, 3, 2],
      ],
      [[1, 3, 2, 6]],
      [3],
    ],
    [4, 8, 6],
    2,
    0.1,
  ),
  engineCase(
    'four levels down to 1x2x3',
    [1, 1],
    [
      [
        [3, 2],
        [9, 4],
        [6, 5],
        [8, 11],
      ],
      [
        [2, 3],
        [4, 1],
        [5, 6],
      ],
      [2, 3, 7],
    ],
    [8, 16, 24],
    2,
    0.2,
  ),
  engineCase(
    'rows longer than a tile',
    [1, 1],
    [
      [
        [4, 4],
        [4, 4],
      ],
      [[4, 4]],
      [4],
    ],
    [4, 6, 150],
    1,
    0,
  ),
  engineCase(
    'wide layers',
    [1, 2],
    [
      [
        [13, 17],
        [24, 21],
      ],
      [[18, 16]],
      [19],
    ],
    [4, 6, 8],
    2,
    0.1,
  ),
  engineCase(
    'more cases than a slab takes',
    [1, 1],
    [
      [
        [2, 3],
        [5, 1],
      ],
      [[3, 2]],
      [4],
    ],
    [2, 6, 4],
    11,
    0.2,
  ),
  engineCase(
    'a wide up-convolution from one channel, without skips',
    [1, 2],
    [[[2], [1]], [[3]], [6]],
    [6, 10, 14],
    11,
    0.2,
    false,
  ),
  engineCase(
    'every layer one channel',
    [1, 1],
    [
      [
        [1, 1],
        [1, 1],
        [1, 1],
      ],
      [
        [1, 1],
        [1, 1],
      ],
      [1, 1],
    ],
    [8, 8, 8],
    4,
    0,
  ),
];

/**
 * Only for the native engine, which cuts such large volumes into slabs. Other engines do not: their sums over so many voxels
 * differ by more than the tolerance, and a GPU in software takes minutes.
 */
export const largeCases: readonly EngineCase[] = [
  engineCase('several windows a slab', [1, 1], [[[3], [2]], [[1]], [2]], [10, 34, 62], 1, 0),
  engineCase(
    'wide layers, odd depths, slabs of some planes',
    [1, 1],
    [
      [
        [9, 8],
        [16, 11],
      ],
      [[8, 10]],
      [12],
    ],
    [10, 20, 22],
    3,
    0.2,
  ),
];

/** Three label indices: 1 is in the even outputs, 2 in all, 3 in none; so regions overlap. */
export function targetsFor(labels: number): Uint32Array {
  const targets = new Uint32Array(256);
  for (let k = 0; k < labels; k++) {
    if (k % 2 === 0) targets[1] = (targets[1] as number) | (1 << k);
    targets[2] = (targets[2] as number) | (1 << k);
  }
  return targets;
}

export function settingsFor({ architecture, size, batch }: EngineCase, spare = 1): NetworkSettings {
  return {
    architecture,
    size,
    maxBatch: batch + spare,
    targets: targetsFor(architecture.labels),
    adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  };
}

/** Weights in which batch norms and running statistics are not 1 and 0, and some scales are negative. */
export function weightsFor({ name, architecture }: EngineCase): Weights {
  const random = stream(1, 'weights', name);
  const variances = stream(1, 'variances', name);
  const weights = initialWeights(architecture, random);
  for (const [tensor, { data }] of weights)
    if (tensor.includes('.norm.'))
      for (let i = 0; i < data.length; i++)
        data[i] = tensor.endsWith('running_var')
          ? 0.25 + variances.uniform()
          : tensor.endsWith('norm.weight')
            ? random.normal() + 0.5
            : 0.5 * random.normal();
  return weights;
}

export function batchFor({ name, architecture, size, batch }: EngineCase): Sample[] {
  const random = stream(2, 'batch', name);
  const voxels = size[0] * size[1] * size[2];
  return Array.from({ length: batch }, () => ({
    image: Float32Array.from({ length: voxels * architecture.inputChannels }, () => random.normal()),
    label: Uint8Array.from({ length: voxels }, () => random.integer(4)),
  }));
}

/** Masks with zeros, for `steps` steps. */
export function masksFor({ name, architecture, batch, dropout }: EngineCase, step: number): Float32Array {
  const random = stream(3, 'masks', name, step);
  return Float32Array.from({ length: batch * totalChannels(architecture) }, () =>
    random.uniform() < dropout ? 0 : 1 / (1 - dropout),
  );
}

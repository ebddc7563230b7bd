// The type of a criterion, and the computations that several criteria share.

import { type ActivationSums } from '../../engine/engine.js';
import { type Layer } from '../../network/architecture.js';
import { type Weights, tensorOf } from '../../network/weights.js';
import { type RandomStream } from '../../random.js';

/** Scores of the channels of each layer, layers in the order of `listLayers`. */
export type Scores = readonly Float64Array[];

/** The number of voxels of the activation of a layer. */
export type VoxelsOf = (layer: Layer) => number;

/**
 * How channels are scored. Each kind states what it needs, so that scoring computes only that:
 * - `activations`: one pass over the training set; `fold` gives the contribution of one batch, `finish` maps the sum.
 * - `gradients`: one pass with gradients, which are summed over the batches, then scored with the weights.
 * - `synflow`: one data-free pass.
 * - `weights`, `nothing`: no pass.
 */
export type Criterion =
  | {
      readonly needs: 'activations';
      readonly withGradients: boolean;
      /** The contribution of a batch to the score of each channel (all layers side by side). */
      readonly fold: (batch: ActivationSums, cases: number, voxels: Float64Array) => Float64Array;
      readonly finish?: (total: number) => number;
    }
  | {
      readonly needs: 'gradients' | 'synflow';
      readonly score: (layer: Layer, weights: Weights, gradients: Weights) => Float64Array;
    }
  | { readonly needs: 'weights'; readonly score: (layer: Layer, weights: Weights) => Float64Array }
  | { readonly needs: 'nothing'; readonly score: (layer: Layer, random: RandomStream) => Float64Array };

/** For each channel of all layers, the mean over the cases of a batch of `each(value)`; values are (cases, channels). */
export function meanOverCases(
  values: Float64Array,
  cases: number,
  each: (value: number) => number,
): Float64Array {
  const channels = values.length / cases;
  const means = new Float64Array(channels);
  for (const [i, value] of values.entries())
    means[i % channels] = (means[i % channels] as number) + each(value) / cases;
  return means;
}

/** For each filter of a layer, the sum of term(index into the weight tensor) over its weights, without the bias. */
export function sumOverFilters(layer: Layer, term: (index: number) => number): Float64Array {
  const size = layer.inputs * 27;
  return Float64Array.from({ length: layer.width }, (_, channel) => {
    let sum = 0;
    for (let i = channel * size; i < (channel + 1) * size; i++) sum += term(i);
    return sum;
  });
}

/** The filters of a layer. */
export function filtersOf(layer: Layer, weights: Weights): Float32Array {
  return tensorOf(weights, `${layer.name}.conv.weight`).data;
}

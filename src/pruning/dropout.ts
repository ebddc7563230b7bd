// Targeted dropout: channels of layers with low scores are dropped more often, so that the network learns to work without
// them before they are removed (STAMP). The last layer is never pruned, so it has no dropout.

import { type Layer } from '../network/architecture.js';
import { type Scores } from './criteria/criterion.js';

/** The dropout rate of each layer before the first removal. */
export function initialRates(layers: readonly Layer[], initial: number): number[] {
  return layers.map(({ prunable }) => (prunable ? initial : 0));
}

/**
 * The dropout rate of each layer by `rank-value`, from the scores before a removal, including that of the channel to remove.
 * The N channels of all prunable layers, sorted by ascending score, get ranks from N - 1 down to 0 (equal scores: the
 * earlier channel first). The value of a layer is the mean of its ranks; its rate is base * value / largest value.
 */
export function rankValueRates(layers: readonly Layer[], scores: Scores, base: number): number[] {
  const channels = scores.flatMap((values, layer) =>
    layers[layer]?.prunable ? Array.from(values, (score) => ({ layer, score })) : [],
  );
  const values = scores.map(() => 0);
  const order = channels
    .map((_, i) => i)
    .sort((a, b) => scoreAt(channels, a) - scoreAt(channels, b) || a - b);
  for (const [position, channel] of order.entries()) {
    const { layer } = channels[channel] as { layer: number };
    values[layer] = (values[layer] as number) + channels.length - 1 - position;
  }
  const means = values.map((value, i) => value / (scores[i] as Float64Array).length);
  const largest = Math.max(...means);
  return means.map((mean) => (base * mean) / largest);
}

const scoreAt = (channels: readonly { score: number }[], i: number): number =>
  (channels[i] as { score: number }).score;

/** Converts rates per layer to rates per channel, all layers side by side. */
export function channelRates(rates: readonly number[], widths: readonly number[]): Float64Array {
  return Float64Array.from(widths.flatMap((width, i) => Array<number>(width).fill(rates[i] as number)));
}

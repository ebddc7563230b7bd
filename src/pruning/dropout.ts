// Targeted dropout: layers whose channels score low are dropped more often, so that the network learns to do without
// them before they go (STAMP).

import { type Scores } from './criteria/criterion.js';

/**
 * The dropout rate of each layer by `rank-value`: all channels sorted by ascending score get ranks counting down from
 * their number (equal scores: the earlier channel first); a layer's value is the mean of its ranks; its rate is the
 * base times its value over the largest value.
 */
export function rankValueRates(scores: Scores, base: number): number[] {
  const channels = scores.flatMap((layer, index) => Array.from(layer, (score) => ({ layer: index, score })));
  const values = scores.map(() => 0);
  const order = channels
    .map((_, i) => i)
    .sort((a, b) => scoreAt(channels, a) - scoreAt(channels, b) || a - b);
  for (const [position, channel] of order.entries()) {
    const { layer } = channels[channel] as { layer: number };
    values[layer] = (values[layer] as number) + channels.length - position;
  }
  const means = values.map((value, i) => value / (scores[i] as Float64Array).length);
  const largest = Math.max(...means);
  return means.map((mean) => (base * mean) / largest);
}

const scoreAt = (channels: readonly { score: number }[], i: number): number =>
  (channels[i] as { score: number }).score;

/** Rates of layers as rates of all channels side by side. */
export function channelRates(rates: readonly number[], widths: readonly number[]): Float64Array {
  return Float64Array.from(widths.flatMap((width, i) => Array<number>(width).fill(rates[i] as number)));
}

// Normalises intensities. docs/preprocessing.md has the formulas.

import { type ChannelNormalisation } from '../config/schema.js';
import { percentileOf } from './percentile.js';
import { type Box, type Extent } from './preprocess.js';

/** Smallest and largest intensity of a channel. */
export interface IntensityRange {
  readonly min: number;
  readonly max: number;
}

/** What `ct` finds in training cases: intensities are clipped, then minus `mean`, divided by `deviation`. */
export interface FittedConstants {
  readonly clip: readonly [low: number, high: number];
  readonly mean: number;
  readonly deviation: number;
}

/** How a channel is normalised, with every constant that was fitted. */
export type FittedNormalisation = Exclude<ChannelNormalisation, 'ct'> | FittedConstants;

/** Anything for all channels alike, or a list with one entry for each. */
export type PerChannel<T> = T | readonly T[];

/** What a channel has. */
export function ofChannel<T extends object | string>(all: PerChannel<T>, channel: number): T {
  return Array.isArray(all) ? ((all as readonly T[])[channel] as T) : (all as T);
}

/** No deviation is smaller, so that nothing is divided by 0. */
export const SMALLEST = 1e-8;

/**
 * Normalises one channel of one volume in place. `ct` leaves it as it is, since its constants are fitted later. Returns its
 * smallest and largest value before; if they are equal, the channel is constant.
 */
export function normalise(
  voxels: Float32Array | Float64Array,
  how: ChannelNormalisation | FittedConstants,
): IntensityRange {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (const value of voxels) {
    if (value < low) low = value;
    if (value > high) high = value;
    sum += value;
  }
  const found = { min: low, max: high };
  if (how === 'none' || how === 'ct') return found;
  if (how === 'z-score') {
    const mean = sum / voxels.length;
    let squares = 0;
    for (const value of voxels) squares += (value - mean) ** 2;
    const deviation = Math.max(Math.sqrt(squares / voxels.length), SMALLEST);
    for (let i = 0; i < voxels.length; i++)
      voxels[i] = low === high ? 0 : ((voxels[i] as number) - mean) / deviation;
    return found;
  }
  if (how === 'z-score-nonzero') zScoreNonzero(voxels, sum);
  else if ('clip' in how) applyConstants(voxels, 0, voxels.length, how);
  else scale(voxels, 'window' in how ? how.window : percentiles(voxels, how.percentile));
  return found;
}

/** Mean and deviation are over the voxels that are not 0; zeros stay 0. */
function zScoreNonzero(voxels: Float32Array | Float64Array, sum: number): void {
  let [count, squares] = [0, 0];
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of voxels) {
    if (value === 0) continue;
    count++;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const mean = sum / count;
  for (const value of voxels) if (value !== 0) squares += (value - mean) ** 2;
  const deviation = Math.max(Math.sqrt(squares / count), SMALLEST);
  for (let i = 0; i < voxels.length; i++) {
    const value = voxels[i] as number;
    if (value !== 0) voxels[i] = low === high ? 0 : (value - mean) / deviation;
  }
}

/** Brings `from` and `to` to 0 and 1, and cuts off there. */
function scale(voxels: Float32Array | Float64Array, [from, to]: readonly [number, number]): void {
  const range = Math.max(to - from, SMALLEST);
  for (let i = 0; i < voxels.length; i++)
    voxels[i] = Math.min(1, Math.max(0, ((voxels[i] as number) - from) / range));
}

function percentiles(
  voxels: Float32Array | Float64Array,
  [low, high]: readonly [number, number],
): [number, number] {
  const sorted = voxels.slice().sort();
  return [percentileOf(sorted, low), percentileOf(sorted, high)];
}

function applyConstants(
  voxels: Float32Array | Float64Array,
  start: number,
  end: number,
  { clip: [low, high], mean, deviation }: FittedConstants,
): void {
  for (let i = start; i < end; i++)
    voxels[i] = (Math.min(high, Math.max(low, voxels[i] as number)) - mean) / deviation;
}

/** Whether a channel has constants that are applied when a sample is read. */
export function isFitted(how: FittedNormalisation): how is FittedConstants {
  return typeof how === 'object' && 'clip' in how;
}

/**
 * Applies fitted constants in place to an image (C, z, y, x) of stored voxels: to those of `kept`, so that padding stays 0.
 * Channels without such constants stay as they are.
 */
export function applyFitted(
  image: Float32Array,
  size: Extent,
  { from, to }: Box,
  normalisation: PerChannel<FittedNormalisation>,
): void {
  const voxels = size[0] * size[1] * size[2];
  for (let channel = 0; channel * voxels < image.length; channel++) {
    const how = ofChannel(normalisation, channel);
    if (!isFitted(how)) continue;
    for (let z = from[2]; z < to[2]; z++)
      for (let y = from[1]; y < to[1]; y++) {
        const row = channel * voxels + (z * size[1] + y) * size[0];
        applyConstants(image, row + from[0], row + to[0], how);
      }
  }
}

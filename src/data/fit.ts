// Fits the constants of `ct` on the training cases of a split, as nnU-Net does: from foreground voxels of the grid on which
// cases are stored. Every case counts alike, however large its foreground is.

import { type ChannelNormalisation, type Normalisation } from '../config/schema.js';
import { UserError } from '../errors.js';
import {
  type FittedConstants,
  type FittedNormalisation,
  type PerChannel,
  SMALLEST,
  ofChannel,
} from './normalise.js';
import { percentileOf } from './percentile.js';

/** Values that a case contributes, and voxels that are looked at to find them. */
const VALUES = 10_000;
const MOST_SORTED = 2 ** 20;
/** Percentiles of the foreground that intensities are clipped to. */
const CLIP = [0.5, 99.5] as const;

/**
 * The foreground of a channel as up to 10 000 ascending values at evenly spaced ranks. Of a foreground with more than 2^20 voxels
 * every n-th is looked at. `label` has the indices of labels, 0 is background; `isForeground` knows them.
 */
export function foregroundValues(
  voxels: Float32Array | Float64Array,
  label: Uint8Array,
  isForeground: (index: number) => boolean,
): number[] {
  const known = Uint8Array.from({ length: 256 }, (_, index) => Number(isForeground(index)));
  let count = 0;
  for (let i = 0; i < label.length; i++) count += known[label[i] as number] as number;
  const step = Math.ceil(count / MOST_SORTED);
  const found = new Float32Array(count === 0 ? 0 : Math.ceil(count / step));
  for (let i = 0, seen = 0, at = 0; i < label.length; i++)
    if (known[label[i] as number] === 1 && seen++ % step === 0) found[at++] = voxels[i] as number;
  found.sort();
  return [...atRanks(found, Math.min(VALUES, found.length))];
}

/** So many values of a sorted list, in the middle of as many parts of equal length. */
function atRanks(sorted: ArrayLike<number>, count: number): Float32Array {
  return Float32Array.from(
    { length: count },
    (_, i) => sorted[Math.floor(((i + 0.5) * sorted.length) / count)] as number,
  );
}

/** What fitting needs to know of a case. */
interface FittedCase {
  readonly channels: number;
  /** By channel; see `foregroundValues`. */
  readonly foreground: readonly (readonly number[])[];
}

/**
 * The normalisation of a split with its constants: for each channel with `ct` those of these training cases. Throws a UserError of
 * kind `data` if no case has foreground. Other normalisations stay as they are.
 */
export function fitNormalisation(
  normalisation: Normalisation,
  train: readonly FittedCase[],
  split: string,
): PerChannel<FittedNormalisation> {
  const fit = (how: ChannelNormalisation, channel: number): FittedNormalisation =>
    how === 'ct'
      ? constantsOf(
          train.map(({ foreground }) => foreground[channel] ?? []),
          split,
        )
      : how;
  const channels = train[0]?.channels ?? 1;
  // Where all channels are alike one entry is enough, as written in the config.
  if (!Array.isArray(normalisation) && (normalisation !== 'ct' || channels === 1))
    return fit(normalisation, 0);
  return Array.from({ length: channels }, (_, channel) => fit(ofChannel(normalisation, channel), channel));
}

function constantsOf(cases: readonly (readonly number[])[], split: string): FittedConstants {
  const filled = cases.filter(({ length }) => length > 0);
  if (filled.length === 0)
    throw new UserError(
      'data',
      `preprocessing.normalisation: ct: found no foreground voxel in the ${cases.length} training cases of split ${split}, ` +
        'expected labels to take its constants from; set another normalisation',
    );
  const values = new Float32Array(filled.length * VALUES);
  for (const [i, sorted] of filled.entries()) values.set(atRanks(sorted, VALUES), i * VALUES);
  values.sort();
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    clip: [percentileOf(values, CLIP[0]), percentileOf(values, CLIP[1])],
    mean,
    deviation: Math.max(Math.sqrt(squares / values.length), SMALLEST),
  };
}

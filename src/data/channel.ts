// What is done to a channel of a scan: the same in training and in prediction.

import { type ChannelNormalisation } from '../config/schema.js';
import { type FittedNormalisation, type IntensityRange, normalise } from './normalise.js';
import { type Resampling, resampleImage } from './resample.js';

/** Resamples one channel and normalises it. Changes `stored` if its grid stays. */
export function prepareChannel<T extends Float32Array | Float64Array>(
  stored: T,
  resampling: Resampling,
  how: ChannelNormalisation | FittedNormalisation,
): { readonly voxels: T; readonly range: IntensityRange } {
  const voxels = resampleImage(stored, resampling);
  return { voxels, range: normalise(voxels, how) };
}

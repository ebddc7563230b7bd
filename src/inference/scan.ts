// Makes a scan for a model from decoded volumes, and the warnings about its result. Without Node.js.

import { axisCodes } from '../data/nifti/affine.js';
import { type Volume } from '../data/nifti/decode.js';
import { UserError } from '../errors.js';
import { type ModelDescription } from '../model/model.js';
import { type Scan, type Segmentation } from './segment.js';
import { unlikeTraining } from './unlike.js';

/** A scan from volumes on the same grid; takes over their voxels. Throws a UserError of kind `data` for other channels. */
export function scanOf(
  volumes: readonly Volume[],
  file: string,
  { channels: expected }: Pick<ModelDescription, 'channels'>,
): Scan {
  const channels = volumes.flatMap(({ voxels, channels: count }) => {
    const each = voxels.length / count;
    return Array.from({ length: count }, (_, c) => voxels.subarray(c * each, (c + 1) * each));
  });
  if (channels.length !== expected.length)
    throw new UserError(
      'data',
      `${file}: found ${channels.length} channel${channels.length > 1 ? 's' : ''}, but the model has ` +
        `${expected.length}: ${expected.join(', ')}`,
    );
  const { size, spacing, affine } = volumes[0] as Volume;
  return { size, spacing, orientation: axisCodes(affine), channels };
}

/** Warnings: how a scan differs from the training scans, and which outputs have no voxel. */
export function resultWarnings(
  model: ModelDescription,
  scan: Pick<Scan, 'size' | 'spacing' | 'orientation'>,
  { intensity, voxels }: Pick<Segmentation, 'intensity' | 'voxels'>,
): string[] {
  const unlike = unlikeTraining(model, scan, intensity);
  const empty = model.outputs.flatMap(({ name }, k) => (voxels[k] === 0 ? [name] : []));
  if (empty.length === 0) return unlike;
  return [
    ...unlike,
    `found nothing of ${empty.join(', ')}${unlike.length > 0 ? ', perhaps because of that' : ''}`,
  ];
}

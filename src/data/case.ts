// One case: its files read and checked against each other, then preprocessed into a sample.

import { type Experiment } from '../config/schema.js';
import { type Sample } from '../engine/engine.js';
import { UserError } from '../errors.js';
import { toIndices } from './labels.js';
import { type CaseFiles } from './layouts/index.js';
import { affineDistance } from './nifti/header.js';
import { type Volume, readNifti } from './nifti/read.js';
import { type Extent, cropPad, normalise, resample, resampledSize } from './preprocess.js';

/** A case as it lies on disk, or as a generator made it. */
export interface RawCase {
  readonly size: Extent;
  readonly spacing: Extent;
  readonly channels: number;
  /** (channels, z, y, x) */
  readonly image: Float32Array | Float64Array;
  /** Label values as stored, (z, y, x). */
  readonly label: Float32Array | Float64Array;
  /** What to call the label in messages. */
  readonly labelFile: string;
  readonly warnings: readonly string[];
}

/** Reads a case's files and checks that they fit together. Throws a UserError of kind `data`. */
export async function readCase({ id, images, label }: CaseFiles, config: Experiment): Promise<RawCase> {
  const { nonFinite, affineMismatch } = config.dataset;
  const volumes = await Promise.all(images.map(readNifti));
  const target = await readNifti(label);
  const [first] = volumes as [Volume, ...Volume[]];
  const shape = (volume: Volume): string => volume.size.join(' x ');
  if (target.channels > 1)
    throw new UserError('data', `${label}: dim[4]: found ${target.channels} volumes, expected one`);
  for (const [i, volume] of [...volumes.slice(1), target].entries()) {
    const file = images[i + 1] ?? label;
    if (shape(volume) !== shape(first))
      throw new UserError(
        'data',
        `${file}: found ${shape(volume)} voxels, but ${images[0]} has ${shape(first)}`,
      );
    const distance = affineDistance(volume.affine, first.affine, first.size);
    if (distance > 1e-3 && affineMismatch === 'error')
      throw new UserError(
        'data',
        `${file}: lies up to ${distance.toPrecision(3)} mm away from ${images[0]} by its affine, expected at most ` +
          '0.001 (to use it all the same: dataset.affineMismatch: ignore)',
      );
  }
  const warnings = [...volumes.flatMap((volume) => volume.warnings), ...target.warnings];
  const image = joinChannels(volumes);
  for (const [volume, file] of [
    [image, images[0] as string],
    [target.voxels, label],
  ] as const) {
    let bad = 0;
    for (const value of volume) if (!Number.isFinite(value)) bad++;
    if (bad === 0) continue;
    if (nonFinite === 'error' || file === label)
      throw new UserError(
        'data',
        `${file}: found ${bad} voxels that are NaN or infinite, expected numbers` +
          (file === label ? '' : ' (to set them to 0: dataset.nonFinite: zero)'),
      );
    for (let i = 0; i < volume.length; i++) if (!Number.isFinite(volume[i])) volume[i] = 0;
    warnings.push('voxels that are NaN or infinite were set to 0');
  }
  const { size, spacing } = first;
  const channels = volumes.reduce((sum, volume) => sum + volume.channels, 0);
  const wanted = config.dataset.channels;
  if (wanted && wanted.length !== channels)
    throw new UserError(
      'data',
      `${id}: found ${channels} channels, but dataset.channels names ${wanted.length}`,
    );
  return { size, spacing, channels, image, label: target.voxels, labelFile: label, warnings };
}

function joinChannels(volumes: readonly Volume[]): Float32Array | Float64Array {
  if (volumes.length === 1) return (volumes[0] as Volume).voxels;
  const joined = new Float64Array(volumes.reduce((sum, { voxels }) => sum + voxels.length, 0));
  let at = 0;
  for (const { voxels } of volumes) {
    joined.set(voxels, at);
    at += voxels.length;
  }
  return joined;
}

/** Preprocesses a case: resample, normalise, crop and pad. */
export function prepareCase(
  raw: RawCase,
  indices: ReadonlyMap<number, number>,
  { size, spacing, normalisation }: Experiment['preprocessing'],
): { sample: Sample; warnings: string[] } {
  const warnings: string[] = [];
  const { label: stored, rounded } = toIndices(raw.label, indices, raw.labelFile);
  if (rounded > 0) warnings.push('label values close to integers were rounded');
  const grid = spacing ? resampledSize(raw.size, raw.spacing, spacing) : raw.size;
  const resized = grid.join() !== raw.size.join();
  const count = size[0] * size[1] * size[2];
  const image = new Float32Array(raw.channels * count);
  const perChannel = raw.image.length / raw.channels;
  for (let channel = 0; channel < raw.channels; channel++) {
    const part = raw.image.subarray(channel * perChannel, (channel + 1) * perChannel);
    const voxels = resized ? resample(part, raw.size, grid, false) : part;
    if (normalise(voxels, normalisation)) warnings.push('the image is constant');
    cropPad(voxels, grid, size, image.subarray(channel * count, (channel + 1) * count));
  }
  const label = new Uint8Array(count);
  cropPad(resized ? resample(stored, raw.size, grid, true) : stored, grid, size, label);
  const before = stored.reduce((sum, index) => sum + Number(index > 0), 0);
  if (before === 0) warnings.push('the label is empty');
  else if (!resized && label.reduce((sum, index) => sum + Number(index > 0), 0) < before)
    warnings.push('cropping to preprocessing.size cut off labelled voxels');
  return { sample: { image, label }, warnings };
}

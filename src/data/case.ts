// One case: its files read and checked against each other, then preprocessed into what is kept in memory.

import { createHash } from 'node:crypto';
import { type Experiment } from '../config/schema.js';
import { type Sample } from '../engine/engine.js';
import { UserError } from '../errors.js';
import { labelIndices, toIndices } from './labels.js';
import { type CaseFiles } from './layouts/index.js';
import { affineDistance } from './nifti/header.js';
import { type Volume, readNifti } from './nifti/read.js';
import { type PhantomSettings, generatePhantom } from './phantoms/index.js';
import { type Extent, cropPad, normalise, resample, resampledSize } from './preprocess.js';

/** A case as it lies on disk, or as a generator made it. */
export interface RawCase {
  readonly size: Extent;
  /** Distance between voxels in mm. */
  readonly spacing: Extent;
  readonly channels: number;
  /** (channels, z, y, x) */
  readonly image: Float32Array | Float64Array;
  /** Label values as stored, (z, y, x). */
  readonly label: Float32Array | Float64Array | Uint8Array;
  /** What to call the label in messages. */
  readonly labelFile: string;
  readonly warnings: readonly string[];
}

/** Where a case comes from. */
export type CaseSource = CaseFiles | ({ readonly id: string } & PhantomSettings);

/** A preprocessed case with what the rest of the dataset needs to know about it. Plain data: it crosses threads. */
export interface PreparedCase {
  readonly id: string;
  readonly channels: number;
  /** The image as float32 (C, D, H, W), then the label as uint8 (D, H, W): see `sampleOf`. */
  readonly bytes: ArrayBuffer;
  /** SHA-256 of `bytes`. */
  readonly digest: string;
  /** Label indices above 0 that occur in it. */
  readonly present: readonly number[];
  readonly warnings: readonly string[];
}

/** The image and label inside a case's bytes, without a copy. */
export function sampleOf({ bytes, channels }: Pick<PreparedCase, 'bytes' | 'channels'>): Sample {
  const voxels = bytes.byteLength / (4 * channels + 1);
  return {
    image: new Float32Array(bytes, 0, channels * voxels),
    label: new Uint8Array(bytes, 4 * channels * voxels),
  };
}

/** Reads or generates a case and preprocesses it. Throws a UserError of kind `data` that names what is wrong. */
export async function prepareCase(source: CaseSource, config: Experiment): Promise<PreparedCase> {
  const raw = 'kind' in source ? generatePhantom(source) : await readCase(source, config);
  return preprocess(source.id, raw, config);
}

/** Reads a case's files and checks that they fit together. */
async function readCase({ images, label }: CaseFiles, config: Experiment): Promise<RawCase> {
  const { nonFinite, affineMismatch } = config.dataset;
  const volumes = await Promise.all(images.map(readNifti));
  const target = await readNifti(label);
  const [first] = volumes as [Volume, ...Volume[]];
  const files = [...images, label];
  if (target.channels > 1)
    throw new UserError('data', `${label}: dim[4]: found ${target.channels} volumes, expected one`);
  for (const [i, volume] of [...volumes, target].entries())
    if (i > 0) checkGrid(volume, files[i] as string, first, files[0] as string, affineMismatch);
  const warnings = [...volumes.flatMap((volume) => volume.warnings), ...target.warnings];
  for (const [i, volume] of [...volumes, target].entries()) {
    const allowed = i < volumes.length && nonFinite === 'zero';
    if (replaceNonFinite(volume.voxels, files[i] as string, allowed))
      warnings.push('voxels that are NaN, infinite or beyond float32 were set to 0');
  }
  const { size, spacing } = first;
  return {
    size,
    spacing,
    channels: volumes.reduce((sum, volume) => sum + volume.channels, 0),
    image: joinChannels(volumes),
    label: target.voxels,
    labelFile: label,
    warnings,
  };
}

/** Throws unless two volumes of a case lie voxel on voxel. */
function checkGrid(
  volume: Volume,
  file: string,
  first: Volume,
  firstFile: string,
  affineMismatch: 'error' | 'ignore',
): void {
  const inWords = (extent: Extent, unit: string): string => `${extent.join(' x ')} ${unit}`;
  if (volume.size.join() !== first.size.join())
    throw new UserError(
      'data',
      `${file}: dim: found ${inWords(volume.size, 'voxels')}, but ${firstFile} has ${inWords(first.size, 'voxels')}`,
    );
  if (volume.spacing.some((value, axis) => Math.abs(value - (first.spacing[axis] as number)) > 1e-3))
    throw new UserError(
      'data',
      `${file}: pixdim: found a spacing of ${inWords(volume.spacing, 'mm')}, but ${firstFile} has ` +
        inWords(first.spacing, 'mm'),
    );
  const distance = affineDistance(volume.affine, first.affine, first.size);
  if (!(distance <= 1e-3) && affineMismatch === 'error')
    throw new UserError(
      'data',
      `${file}: affine: found voxels up to ${distance.toPrecision(3)} mm away from those of ${firstFile}, expected ` +
        'at most 0.001 mm (to use it all the same: dataset.affineMismatch: ignore)',
    );
}

const MAX_FLOAT32 = 3.4028234e38;

/** Sets voxels that float32 cannot hold to 0 where that is allowed, else throws. Returns whether there were any. */
function replaceNonFinite(voxels: Float32Array | Float64Array, file: string, allowed: boolean): boolean {
  let bad = 0;
  for (let i = 0; i < voxels.length; i++) {
    if (Math.abs(voxels[i] as number) <= MAX_FLOAT32) continue; // false for NaN
    bad++;
    if (allowed) voxels[i] = 0;
  }
  if (bad > 0 && !allowed)
    throw new UserError(
      'data',
      `${file}: found ${bad} voxel${bad > 1 ? 's' : ''} that are NaN, infinite or beyond float32, expected finite ` +
        'numbers (to set those of images to 0: dataset.nonFinite: zero)',
    );
  return bad > 0;
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

/** Resamples, normalises, crops and pads a case. Changes the raw image. */
function preprocess(id: string, raw: RawCase, { dataset, preprocessing }: Experiment): PreparedCase {
  const { size, spacing, normalisation } = preprocessing;
  const warnings = [...raw.warnings];
  const { label: stored, rounded } = toIndices(raw.label, labelIndices(dataset.labels), raw.labelFile);
  if (rounded > 0) warnings.push('label values close to integers were rounded');
  const grid = spacing ? resampledSize(raw.size, raw.spacing, spacing) : raw.size;
  const resized = grid.join() !== raw.size.join();
  const count = size[0] * size[1] * size[2];
  const bytes = new ArrayBuffer((4 * raw.channels + 1) * count);
  const { image, label } = sampleOf({ bytes, channels: raw.channels });
  const perChannel = raw.image.length / raw.channels;
  for (let channel = 0; channel < raw.channels; channel++) {
    const part = raw.image.subarray(channel * perChannel, (channel + 1) * perChannel);
    const voxels = resized ? resample(part, raw.size, grid, false) : part;
    if (normalise(voxels, normalisation))
      warnings.push(raw.channels > 1 ? `channel ${channel} is constant` : 'the image is constant');
    cropPad(voxels, grid, size, image.subarray(channel * count, (channel + 1) * count));
  }
  const resampled = resized ? resample(stored, raw.size, grid, true) : stored;
  cropPad(resampled, grid, size, label);
  const [before, kept] = [countIndices(resampled), countIndices(label)];
  if (before[0] === resampled.length) warnings.push('the label is empty');
  else if (before.some((voxels, index) => index > 0 && voxels > (kept[index] as number)))
    warnings.push('cropping to preprocessing.size cut off labelled voxels');
  return {
    id,
    channels: raw.channels,
    bytes,
    digest: createHash('sha256').update(new Uint8Array(bytes)).digest('hex'),
    present: [...kept.keys()].filter((index) => index > 0 && (kept[index] as number) > 0),
    warnings,
  };
}

/** How many voxels have each index. */
function countIndices(label: Uint8Array): Uint32Array {
  const counts = new Uint32Array(256);
  for (let i = 0; i < label.length; i++) {
    const index = label[i] as number;
    counts[index] = (counts[index] as number) + 1;
  }
  return counts;
}

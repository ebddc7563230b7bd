// Reads the files of one case, checks them against each other, and preprocesses them.

import { type Experiment, type Normalisation } from '../config/schema.js';
import { type Sample } from '../engine/engine.js';
import { UserError } from '../errors.js';
import { sha256 } from '../sha256.js';
import { prepareChannel } from './channel.js';
import { foregroundValues } from './fit.js';
import { labelIndices, toIndices } from './labels.js';
import { type CaseFiles } from './layouts/layout.js';
import { axisCodes } from './nifti/affine.js';
import { type Volume, inWords } from './nifti/decode.js';
import { type IntensityRange, ofChannel } from './normalise.js';
import { isAsStored, orient, orientExtent, orientingOf } from './orientation.js';
import { type PhantomSettings, generatePhantom } from './phantoms/index.js';
import { type Extent, cropPad } from './preprocess.js';
import { type RawCase } from './raw-case.js';
import { readTogether } from './read-together.js';
import { resampleLabel, resamplingOf } from './resample.js';
import { type Room, roomWithin } from './room.js';

/** The source of a case. */
export type CaseSource = CaseFiles | ({ readonly id: string } & PhantomSettings);

/** Facts about a preprocessed case. Plain data, since it is sent between threads. */
export interface CaseFacts {
  readonly id: string;
  readonly channels: number;
  /** SHA-256 of the image as float32 (C, D, H, W), then the label as uint8 (D, H, W). */
  readonly digest: string;
  /** Voxels along x, y, z after preprocessing. */
  readonly grid: Extent;
  /** Before preprocessing, along the oriented axes: voxels; `spacing` is mm between them. */
  readonly size: Extent;
  readonly spacing: Extent;
  /** Where the stored axes point, such as `RAS`. */
  readonly orientation: string;
  /** By channel, before normalisation. */
  readonly intensity: readonly IntensityRange[];
  /** By channel that `ct` normalises: values of its foreground, from which its constants are fitted; empty for others. */
  readonly foreground: readonly (readonly number[])[];
  /** Voxels of each label index before and after cropping, including index 0, background. */
  readonly labelled: { readonly before: readonly number[]; readonly kept: readonly number[] };
  /** The most frequent label values that count as background although not 0, with their numbers of voxels. */
  readonly others: readonly (readonly [value: number, voxels: number])[];
  readonly warnings: readonly string[];
}

/** A preprocessed case in memory. */
export interface PreparedCase extends CaseFacts {
  /** Image and label: see `sampleOf`. */
  readonly bytes: ArrayBuffer;
}

/** The image and label inside the bytes of a case, without a copy. */
export function sampleOf({ bytes, channels }: Pick<PreparedCase, 'bytes' | 'channels'>): Sample {
  const voxels = bytes.byteLength / (4 * channels + 1);
  return {
    image: new Float32Array(bytes, 0, channels * voxels),
    label: new Uint8Array(bytes, 4 * channels * voxels),
  };
}

/**
 * Reads or generates a case and preprocesses it. Throws a UserError of kind `data` that names the problem. Throws
 * `ShortOfMemory` if the case does not fit into the given share of memory, in bytes, but might fit into all of it.
 */
export async function prepareCase(
  source: CaseSource,
  config: Experiment,
  share?: number,
): Promise<PreparedCase> {
  const room = roomWithin(share);
  try {
    return preprocess(source.id, await readRaw(source, config, room), config, room);
  } catch (error) {
    // Memory that was free before may be in use now, or the process may have a limit.
    if (error instanceof RangeError && /allocation failed|array length/i.test(error.message))
      throw new UserError('data', `${source.id}: there is not enough memory to read this case`);
    throw error;
  }
}

/** Reads or generates a case as it is stored. Throws a UserError of kind `data`. */
export async function readRaw(source: CaseSource, config: Experiment, room: Room): Promise<RawCase> {
  return 'kind' in source ? generatePhantom(source) : readCase(source, config, room);
}

/** The label indices of a case, and what was found on the way: see `toIndices`. */
export function labelOf(
  raw: Pick<RawCase, 'label' | 'labelFile' | 'background'>,
  dataset: Experiment['dataset'],
): ReturnType<typeof toIndices> {
  const isBackground = (value: number): boolean =>
    dataset.others === 'background' || raw.background.includes(value);
  return toIndices(raw.label, labelIndices(dataset), raw.labelFile, isBackground);
}

/** Reads the files of a case and checks that they match. */
async function readCase(
  { images, label, background = [] }: CaseFiles,
  { dataset }: Experiment,
  room: Room,
): Promise<RawCase> {
  const { volumes, warnings } = await readTogether([...images, label], images.length, dataset, room);
  const [first, target] = [volumes[0] as Volume, volumes.at(-1) as Volume];
  if (target.channels > 1)
    throw new UserError('data', `${label}: dim[4]: found ${target.channels} volumes, expected one`);
  return {
    size: first.size,
    spacing: first.spacing,
    orientation: axisCodes(first.affine),
    channels: volumes.slice(0, -1).reduce((sum, volume) => sum + volume.channels, 0),
    image: joinChannels(volumes.slice(0, -1)),
    label: target.voxels,
    imageFile: images[0] as string,
    labelFile: label,
    background,
    warnings,
  };
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

/** A case with its axes in the wanted orientation; the same object if nothing changes. */
function orientCase(
  raw: RawCase,
  orientation: Experiment['preprocessing']['orientation'],
  room: Room,
): RawCase {
  const orienting = orientingOf(raw.orientation, orientation);
  if (isAsStored(orienting)) return raw;
  const { image, label } = raw;
  const perChannel = image.length / raw.channels;
  room({
    bytes: perChannel * (image.BYTES_PER_ELEMENT + label.BYTES_PER_ELEMENT),
    longest: perChannel,
    what: `${raw.imageFile}: ${inWords(raw.size, 'voxels')}, turned from ${raw.orientation} to RAS,`,
    advice: 'store the volumes as RAS',
  });
  for (let at = 0; at < image.length; at += perChannel) {
    const channel = image.subarray(at, at + perChannel);
    const turned = orient(channel, raw.size, orienting);
    if (turned !== channel) channel.set(turned);
  }
  return {
    ...raw,
    size: orientExtent(raw.size, orienting),
    spacing: orientExtent(raw.spacing, orienting),
    image,
    label: orient(label, raw.size, orienting),
  };
}

/** Resamples, normalises, crops and pads an oriented case. Changes the raw image. */
function preprocess(
  id: string,
  read: RawCase,
  { dataset, preprocessing }: Experiment,
  room: Room,
): PreparedCase {
  const raw = orientCase(read, preprocessing.orientation, room);
  const { normalisation } = preprocessing;
  const warnings = [...raw.warnings];
  requireNormalisations(raw, normalisation);
  const resampling = resamplingOf(raw.size, raw.spacing, preprocessing);
  const grid = resampling.to;
  // Where networks see patches, a case keeps its own size.
  const size: Extent = preprocessing.size ?? grid;
  requireRoom(raw, grid, preprocessing, room);
  if (grid.some((voxels, axis) => voxels === 1 && (raw.size[axis] as number) > 1))
    warnings.push(
      'preprocessing.spacing leaves a single voxel along an axis; check the spacing of the files',
    );
  const indices = labelIndices(dataset);
  const ignored = dataset.ignore === undefined ? undefined : indices.get(dataset.ignore);
  const { label: stored, rounded, others } = labelOf(raw, dataset);
  if (rounded > 0) warnings.push('label values close to integers were rounded');
  const count = size[0] * size[1] * size[2];
  const bytes = new ArrayBuffer((4 * raw.channels + 1) * count);
  const { image, label } = sampleOf({ bytes, channels: raw.channels });
  const perChannel = raw.image.length / raw.channels;
  const intensity: IntensityRange[] = [];
  const foreground: number[][] = [];
  for (let channel = 0; channel < raw.channels; channel++) {
    const part = raw.image.subarray(channel * perChannel, (channel + 1) * perChannel);
    const how = ofChannel(normalisation, channel);
    foreground.push(
      how === 'ct' ? foregroundValues(part, stored, (index) => index > 0 && index !== ignored) : [],
    );
    const { voxels, range } = prepareChannel(part, resampling, how);
    intensity.push(range);
    if (range.min === range.max)
      warnings.push(raw.channels > 1 ? `channel ${channel} is constant` : 'the image is constant');
    cropPad(voxels, grid, size, image.subarray(channel * count, (channel + 1) * count));
  }
  const resampled = resampleLabel(stored, resampling);
  cropPad(resampled, grid, size, label);
  const before = countIndices(resampled, indices.size);
  if (before[0] === resampled.length) warnings.push('the label is empty');
  return {
    id,
    channels: raw.channels,
    bytes,
    digest: sha256(new Uint8Array(bytes)),
    grid: size,
    size: raw.size,
    spacing: raw.spacing,
    orientation: raw.orientation,
    intensity,
    foreground,
    labelled: { before, kept: countIndices(label, indices.size) },
    others,
    warnings,
  };
}

/** Longer than any axis; below this limit the memory that resampling needs per index of an axis is negligible. */
const LONGEST_AXIS = 1_000_000;

/** Checks that a list of normalisations has one for each channel. */
function requireNormalisations({ channels, imageFile }: RawCase, normalisation: Normalisation): void {
  if (Array.isArray(normalisation) && normalisation.length !== channels)
    throw new UserError(
      'data',
      `${imageFile}: found ${channels} channel${channels > 1 ? 's' : ''}, but preprocessing.normalisation has ` +
        `${normalisation.length} entries, expected one for each`,
    );
}

/** Checks that there is memory for resampling to a grid, and for cropping and padding to a size. */
function requireRoom(
  raw: RawCase,
  grid: Extent,
  { size: fixed, spacing, antialias, normalisation }: Experiment['preprocessing'],
  room: Room,
): void {
  const size: Extent = fixed ?? grid;
  const voxelsOf = ([x, y, z]: Extent): number => x * y * z;
  const stored = `${raw.imageFile}: ${inWords(raw.size, 'voxels')} of ${inWords(raw.spacing, 'mm')}`;
  const width = raw.image.BYTES_PER_ELEMENT;
  // Channels are resampled one at a time; percentiles need a sorted copy; labels take one byte per voxel.
  const sorts = [normalisation].flat().some((how) => typeof how === 'object' && 'percentile' in how);
  const sorted = sorts ? width : 0;
  // With smoothing, axes are resampled one after another.
  const halfway = antialias ? grid[0] * Math.max(raw.size[1], grid[1]) * raw.size[2] * width : 0;
  const resampled = spacing
    ? `${stored}, resampled to preprocessing.spacing ${inWords(spacing, 'mm')}, become ${inWords(grid, 'voxels')}`
    : stored;
  const advice = 'check pixdim and xyzt_units of the file, or set a larger preprocessing.spacing';
  if (spacing && Math.max(...grid) > LONGEST_AXIS)
    throw new UserError('data', `${resampled}, expected at most ${LONGEST_AXIS} along an axis; ${advice}`);
  room({
    bytes: voxelsOf(raw.size) + voxelsOf(grid) * ((spacing ? width + 1 : 0) + sorted) + halfway,
    longest: voxelsOf(grid),
    what: spacing ? `${resampled}, which` : stored,
    advice,
  });
  room({
    bytes: voxelsOf(size) * (4 * raw.channels + 1),
    longest: voxelsOf(size) * raw.channels,
    what:
      fixed === undefined
        ? `${resampled} in ${raw.channels} channel(s), which`
        : `${stored}, brought to preprocessing.size ${inWords(size, 'voxels')} in ${raw.channels} channel(s),`,
    advice: fixed === undefined ? advice : 'set a smaller preprocessing.size',
  });
}

/** How many voxels have each index from 0 to `largest`. */
function countIndices(label: Uint8Array, largest: number): number[] {
  const counts = new Uint32Array(256);
  for (let i = 0; i < label.length; i++) {
    const index = label[i] as number;
    counts[index] = (counts[index] as number) + 1;
  }
  return [...counts.subarray(0, largest + 1)];
}

// What the files of one case contain, read piece by piece. Nothing is resampled or kept.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { UserError } from '../../errors.js';
import { type CaseFiles } from '../layouts/layout.js';
import { axisCodes, determinantOf } from '../nifti/affine.js';
import { imageOfPair, readNifti } from '../nifti/read.js';
import { spaceDifference } from '../nifti/same-grid.js';
import { type VoxelStream, openVoxels } from '../nifti/stream.js';
import { orientExtent, orientingOf } from '../orientation.js';
import { type Extent } from '../preprocess.js';
import { roomWithin } from '../room.js';
import { alongside } from '../together.js';
import { type Intensities, IntensityCounter } from './intensities.js';
import { LabelCounter } from './label-values.js';

/** What a file was when it was read. */
export interface FileStamp {
  readonly file: string;
  readonly bytes: number;
  /** Time of the last change, in ms since 1970. */
  readonly changed: number;
  readonly sha256: string;
}

/** Facts about a case. */
export interface CaseFacts {
  readonly id: string;
  /** Voxels, and mm between them, along the axes that are closest to right, anterior and superior. */
  readonly size: Extent;
  readonly spacing: Extent;
  /** Where the stored axes point, such as `LPS`. */
  readonly orientation: string;
  readonly channels: number;
  /** By label value, with 0, in ascending order. */
  readonly labels: readonly (readonly [value: number, voxels: number])[];
  /** The volume of a voxel. */
  readonly voxelMl: number;
  readonly files: readonly FileStamp[];
  readonly warnings: readonly string[];
}

/** Facts with the intensities of each channel: of all voxels, and of those with a label. */
export interface InspectedCase {
  readonly facts: CaseFacts;
  readonly intensities: readonly { readonly all: Intensities; readonly foreground: Intensities }[];
}

/** Voxels that are read at a time. */
const BLOCK = 1 << 17;

/** Reads a case. Throws a UserError of kind `data` that names the problems of all its files, one line each. */
export async function inspectCase(files: CaseFiles): Promise<InspectedCase> {
  try {
    return await readCase(files);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const problems = [error.message];
    // The other files may have problems too.
    for (const file of [...files.images, files.label])
      if (!error.message.startsWith(`${file}: `)) problems.push(...(await problemOf(file)));
    throw new UserError('data', [...new Set(problems)].join('\n'));
  }
}

async function readCase({ id, images, label }: CaseFiles): Promise<InspectedCase> {
  const warnings = new Set<string>();
  const intensities: InspectedCase['intensities'][number][] = [];
  let labels: CaseFacts['labels'] = [];
  let first: VoxelStream['header'] | undefined;
  for (const file of images) {
    const image = await openAlong(file, first);
    try {
      first ??= image.header;
      requireSameGrid(image.header, file, first, images[0] as string);
      for (let channel = 0; channel < image.header.channels; channel++) {
        // The label is read again for each channel, since keeping it would take memory.
        const found = await readChannel(image, file, label, intensities.length === 0);
        intensities.push(found);
        if (found.labels) labels = found.labels;
        found.warnings.forEach((warning) => warnings.add(warning));
      }
      (await image.end()).forEach((warning) => warnings.add(warning));
    } finally {
      await image.close();
    }
  }
  const header = first as VoxelStream['header'];
  const orientation = axisCodes(header.affine);
  const orienting = orientingOf(orientation, 'RAS');
  const facts: CaseFacts = {
    id,
    size: orientExtent(header.size, orienting),
    spacing: orientExtent(header.spacing, orienting),
    orientation,
    channels: intensities.length,
    labels,
    voxelMl: Math.abs(determinantOf(header.affine)) / 1000,
    files: await stampsOf([...images, label]),
    warnings: [...warnings],
  };
  return { facts, intensities: intensities.map(({ all, foreground }) => ({ all, foreground })) };
}

/** Reads one channel of an image together with the label. */
async function readChannel(
  image: VoxelStream,
  file: string,
  labelFile: string,
  countLabels: boolean,
): Promise<InspectedCase['intensities'][number] & { labels?: CaseFacts['labels']; warnings: string[] }> {
  const label = await openAlong(labelFile, image.header);
  try {
    if (label.header.channels > 1)
      throw new UserError(
        'data',
        `${labelFile}: dim[4]: found ${label.header.channels} volumes, expected one`,
      );
    requireSameGrid(label.header, labelFile, image.header, file);
    const [all, foreground] = [new IntensityCounter(), new IntensityCounter()];
    const counter = new LabelCounter(labelFile);
    const [x, y, z] = image.header.size;
    let bad = 0;
    for (let left = x * y * z; left > 0; left -= BLOCK) {
      const count = Math.min(BLOCK, left);
      const voxels = Float32Array.from(await image.read(count));
      const labelled = counter.add(await label.read(count));
      bad += voxels.reduce((sum, value) => sum + (Number.isFinite(value) ? 0 : 1), 0);
      if (bad > 0) continue;
      all.add(voxels);
      foreground.add(voxels.filter((_, i) => labelled[i] === 1));
    }
    const labels = counter.found();
    if (bad > 0)
      throw new UserError(
        'data',
        `${file}: found ${bad} voxel${bad > 1 ? 's' : ''} that are NaN, infinite or beyond float32, expected finite numbers`,
      );
    const warnings = await label.end();
    return {
      all: all.found(),
      foreground: foreground.found(),
      ...(countLabels && { labels }),
      warnings: countLabels ? warnings : [],
    };
  } finally {
    await label.close();
  }
}

/** Opens a file; if it is stored in another orientation than `other`, its voxels are laid along that, which takes memory. */
async function openAlong(file: string, other: VoxelStream['header'] | undefined): Promise<VoxelStream> {
  const stream = await openVoxels(file);
  if (other === undefined || axisCodes(stream.header.affine) === axisCodes(other.affine)) return stream;
  await stream.close();
  const room = roomWithin();
  const volume = alongside(await readNifti(file, room), file, other, room);
  let at = 0;
  return {
    header: volume,
    read: (count) => Promise.resolve(volume.voxels.subarray(at, (at += count))),
    end: () => Promise.resolve([...volume.warnings]),
    close: () => Promise.resolve(),
  };
}

function requireSameGrid(
  header: VoxelStream['header'],
  file: string,
  other: VoxelStream['header'],
  otherFile: string,
): void {
  const difference = spaceDifference(header, file, other, otherFile);
  if (difference !== undefined) throw new UserError('data', difference);
}

/** What is wrong with a file by itself, if anything. */
async function problemOf(file: string): Promise<string[]> {
  let stream: VoxelStream | undefined;
  try {
    stream = await openVoxels(file);
    while ((await stream.read(BLOCK)).length > 0);
    await stream.end();
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [error.message];
  } finally {
    await stream?.close();
  }
}

/** The stamps of files; of a pair (.hdr, .img), those of both. */
async function stampsOf(files: readonly string[]): Promise<FileStamp[]> {
  const stamps: FileStamp[] = [];
  for (const file of new Set(files.flatMap((each) => [each, imageOfPair(each)]))) {
    const { size, mtimeMs } = await stat(file);
    stamps.push({ file, bytes: size, changed: mtimeMs, sha256: await digestOf(file) });
  }
  return stamps;
}

/** SHA-256 of a file, read piece by piece. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(part as Buffer);
  return hash.digest('hex');
}

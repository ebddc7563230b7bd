// Cases on the grids on which they are stored: read again where results on these grids are wanted.

import { stat } from 'node:fs/promises';
import { type Experiment } from '../config/schema.js';
import { UserError } from '../errors.js';
import { fsReason } from '../fs-reason.js';
import { type CaseSource, labelOf, readRaw } from './case.js';
import { imageOfPair } from './nifti/read.js';
import { type Extent } from './preprocess.js';
import { roomWithin } from './room.js';

/** A case as it is stored. */
export interface OriginalCase {
  /** Voxels along x, y, z, mm between them, and where the axes point, such as `RAS`. */
  readonly size: Extent;
  readonly spacing: Extent;
  readonly orientation: string;
  /** Intensities of each channel, (z, y, x). */
  readonly channels: (Float32Array | Float64Array)[];
  /** Label indices, (z, y, x). */
  readonly label: Uint8Array;
}

/** Sizes and times of the files of cases, by path: they show whether a file has changed. */
export type Stamps = ReadonlyMap<string, string>;

/** The stamps of the files that cases are read from. A file that is missing has none. */
export async function stampsOf(sources: readonly CaseSource[]): Promise<Stamps> {
  const files = [...new Set(sources.flatMap(filesOf))];
  const stamps = new Map<string, string>();
  for (const file of files) {
    const stamp = await stampOf(file).catch(() => undefined);
    if (stamp !== undefined) stamps.set(file, stamp);
  }
  return stamps;
}

/** Reads a case as it is stored. Throws a UserError of kind `data` if it cannot be read or is not as it was. */
export async function readOriginal(
  source: CaseSource,
  config: Experiment,
  stamps: Stamps,
): Promise<OriginalCase> {
  for (const file of filesOf(source)) {
    const stamp = await stampOf(file).catch((error: unknown) => {
      throw new UserError('data', `${file}: cannot be read: ${fsReason(error)}`, { cause: error });
    });
    if (stamp !== stamps.get(file))
      throw new UserError(
        'data',
        `${file}: has changed since the data set was read, so the prediction cannot be compared with it; start the runs of this ` +
          'data set again (--overwrite)',
      );
  }
  const raw = await readRaw(source, config, roomWithin());
  const { size, spacing, orientation, image } = raw;
  const each = image.length / raw.channels;
  return {
    size,
    spacing,
    orientation,
    channels: Array.from({ length: raw.channels }, (_, c) => image.subarray(c * each, (c + 1) * each)),
    label: labelOf(raw, config.dataset).label,
  };
}

/** The files with the voxels of a case; none for a phantom. */
function filesOf(source: CaseSource): string[] {
  if ('kind' in source) return [];
  const named = [...source.images, source.label];
  return named.flatMap((file) => {
    const pair = imageOfPair(file);
    return pair === file ? [file] : [file, pair];
  });
}

async function stampOf(file: string): Promise<string> {
  const { size, mtimeNs } = await stat(file, { bigint: true });
  return `${size} ${mtimeNs}`;
}

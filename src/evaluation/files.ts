// Reads the two files of a case, checks them against each other, and measures them.

import { UserError } from '../errors.js';
import { readNifti } from '../data/nifti/read.js';
import { spaceDifference } from '../data/nifti/same-grid.js';
import { type Room } from '../data/room.js';
import { type Label, type LabelResult, NotLabels, compareLabelMaps, indexValues } from './label-maps.js';

/** The paths of the two label maps of a case. */
export interface CasePaths {
  readonly id: string;
  readonly reference: string;
  readonly prediction: string;
}

/** Settings for all cases. */
export interface EvaluationSettings {
  /** The labels to measure; undefined: every value of the case except 0. */
  readonly labels?: readonly Label[] | undefined;
  /** Voxels whose reference has this value are left out. */
  readonly ignore?: number | undefined;
  /** Distance in mm within which surfaces agree, for the NSD. */
  readonly tolerance: number;
}

/** The result of a case. Plain data, since it is sent between threads. */
export interface CaseResult extends CasePaths {
  readonly voxels: number;
  /** In the order of the labels of the settings, or of the values. */
  readonly results: readonly LabelResult[];
  readonly warnings: readonly string[];
}

/** Reads and measures a case. Asks `room` before it allocates memory. Throws a UserError of kind `data`. */
export async function evaluateCase(
  paths: CasePaths,
  { labels, ignore, tolerance }: EvaluationSettings,
  room: Room,
): Promise<CaseResult> {
  const reference = await readNifti(paths.reference, room);
  const prediction = await readNifti(paths.prediction, room);
  for (const [file, { channels }] of [
    [paths.reference, reference],
    [paths.prediction, prediction],
  ] as const)
    if (channels > 1)
      throw new UserError('data', `${file}: dim[4]: found ${channels} volumes, expected one label map`);
  const difference = spaceDifference(prediction, paths.prediction, reference, paths.reference);
  if (difference !== undefined)
    throw new UserError('data', `${difference}; a prediction must be on the grid of its reference`);
  const { size, spacing } = reference;
  const voxels = size[0] * size[1] * size[2];
  room({
    // Two maps of indices; then masks, corners, steps and distances of a pair that fills the grid.
    bytes: 20 * voxels,
    longest: voxels,
    what: `${paths.reference}: two label maps of ${size.join(' x ')} voxels`,
    advice: 'crop both files, or close other programs',
  });
  const indices = new Map<number, number>();
  const index = (values: ArrayLike<number>, file: string): Uint16Array => {
    try {
      return indexValues(values, indices);
    } catch (error) {
      if (!(error instanceof NotLabels)) throw error;
      throw new UserError('data', `${file}: found ${error.message}, expected a label map of whole numbers`);
    }
  };
  const pair = {
    reference: index(reference.voxels, paths.reference),
    prediction: index(prediction.voxels, paths.prediction),
    size,
    spacing,
    indices,
  };
  const measured = labels ?? allLabels([...indices.keys()]);
  return {
    ...paths,
    voxels,
    results: compareLabelMaps(pair, measured, { tolerance, ignore }),
    warnings: [...new Set([...reference.warnings, ...prediction.warnings])],
  };
}

/** A label for each value, named by its number. */
function allLabels(values: readonly number[]): Label[] {
  return [...values].sort((a, b) => a - b).map((value) => ({ name: String(value), values: [value] }));
}

// Access to the voxels of prepared cases, which are in memory or, where networks see patches, in a file for each case; as stored, or
// as the networks of a split see them.

import { type LabelTargets, type Sample, type VolumeSize } from '../engine/engine.js';
import { type PreparedCase, sampleOf } from './case.js';
import { type FittedNormalisation, type PerChannel, applyFitted, isFitted } from './normalise.js';
import { type Box, type Extent, volumeSize } from './preprocess.js';
import { type CaseFile } from './store/case-file.js';
import { foregroundPositions } from './store/foreground.js';
import { readRegion, readWhole, regionOf } from './store/region.js';

/** A preprocessed case with its size. */
export interface SizedCase extends Sample {
  readonly size: VolumeSize;
}

/** Access to the voxels of cases by their ids. All functions throw a RangeError for an unknown id. */
export interface Voxels {
  /** A case in memory, not copied if no constants are applied. Only where networks see whole volumes. */
  readonly sample: (id: string) => Sample;
  /** The whole case with its size. */
  readonly caseAt: (id: string) => Promise<SizedCase>;
  /** The box of `size` voxels at `start` (x, y, z) of a case; zero outside of the volume. */
  readonly region: (id: string, start: Extent, size: Extent) => Promise<Sample>;
  /** Ascending positions in the label volume (z, y, x) of voxels of each output. */
  readonly positions: (id: string) => readonly Uint32Array[];
  /** Voxels along x, y, z of a preprocessed case. */
  readonly grid: (id: string) => Extent;
}

/** The entry of a case; throws a RangeError if there is none. */
export function caseIn<T>(cases: ReadonlyMap<string, T>, id: string): T {
  const found = cases.get(id);
  if (found === undefined) throw new RangeError(`no case ${id}`);
  return found;
}

/** Access to cases in memory; `targets` and `outputs` say which label indices belong to which output. */
export function voxelsInMemory(
  cases: readonly PreparedCase[],
  targets: LabelTargets,
  outputs: number,
): Voxels {
  const samples = new Map(cases.map((prepared) => [prepared.id, sampleOf(prepared)]));
  const grids = new Map(cases.map(({ id, grid }) => [id, grid]));
  return {
    sample: (id) => caseIn(samples, id),
    caseAt: (id) => Promise.resolve({ ...caseIn(samples, id), size: volumeSize(caseIn(grids, id)) }),
    region: (id, start, size) =>
      Promise.resolve(regionOf(caseIn(samples, id), caseIn(grids, id), start, size)),
    positions: (id) => foregroundPositions(caseIn(samples, id).label, targets, outputs),
    grid: (id) => caseIn(grids, id),
  };
}

/** Access to cases in files. */
export function voxelsInFiles(files: readonly CaseFile[]): Voxels {
  const known = new Map(files.map((file) => [file.facts.id, file]));
  return {
    sample: (id) => {
      throw new RangeError(`case ${id} is not in memory, since networks see patches`);
    },
    caseAt: async (id) => ({
      ...(await readWhole(caseIn(known, id))),
      size: volumeSize(caseIn(known, id).facts.grid),
    }),
    region: (id, start, size) => readRegion(caseIn(known, id), start, size),
    positions: (id) => caseIn(known, id).positions,
    grid: (id) => caseIn(known, id).facts.grid,
  };
}

/**
 * The voxels as the networks of a split see them: constants that were fitted on its training cases are applied to a copy of what is
 * read, since another split has others. `kept` is the part of a case that is no padding.
 */
export function voxelsNormalised(
  voxels: Voxels,
  normalisation: PerChannel<FittedNormalisation>,
  kept: (id: string) => Box,
): Voxels {
  if (![normalisation].flat().some(isFitted)) return voxels;
  return {
    ...voxels,
    sample(id) {
      const { image: stored, label } = voxels.sample(id);
      const image = stored.slice();
      applyFitted(image, voxels.grid(id), kept(id), normalisation);
      return { image, label };
    },
    async caseAt(id) {
      // A region is a copy already.
      const grid = voxels.grid(id);
      const { image, label } = await voxels.region(id, [0, 0, 0], grid);
      applyFitted(image, grid, kept(id), normalisation);
      return { image, label, size: volumeSize(grid) };
    },
    async region(id, start, size) {
      const found = await voxels.region(id, start, size);
      applyFitted(found.image, size, within(kept(id), start, size), normalisation);
      return found;
    },
  };
}

/** The part of a box that lies in the region of `size` voxels at `start`, in indices of the region. */
function within({ from, to }: Box, start: Extent, size: Extent): Box {
  const along = (pick: (axis: 0 | 1 | 2) => number): Extent => [pick(0), pick(1), pick(2)];
  return {
    from: along((axis) => Math.max(0, from[axis] - start[axis])),
    to: along((axis) => Math.min(size[axis], to[axis] - start[axis])),
  };
}

// Where the voxels of a resampled volume lie on the stored one, along one axis.

/** A place between two voxels. */
export interface Place {
  readonly low: number;
  readonly high: number;
  /** Of the second one. */
  readonly weight: number;
}

/** Both grids cover the same extent, so both ends are half a voxel off. */
export function sourceIndex(index: number, from: number, to: number): number {
  return ((index + 0.5) * from) / to - 0.5;
}

/** The place of each of `to` voxels among `from` voxels; beyond the outermost ones at them. With `nearest` at a voxel. */
export function placesAlong(from: number, to: number, nearest: boolean): Place[] {
  return Array.from({ length: to }, (_, i) => {
    const at = Math.min(Math.max(sourceIndex(i, from, to), 0), from - 1);
    const low = Math.min(Math.floor(nearest ? at + 0.5 : at), from - 1);
    return { low, high: Math.min(low + 1, from - 1), weight: nearest ? 0 : at - low };
  });
}

// The affine of a volume, which gives the positions of voxels in space, and the spacing and orientation in it.

/** The rows of the matrix that maps voxel indices (i, j, k, 1) to mm. */
export type Affine = readonly (readonly number[])[];

const at = (affine: Affine, row: number, column: number): number =>
  (affine[row] as number[])[column] as number;

/** The distance in mm between voxels along an axis. */
export function columnLength(affine: Affine, column: number): number {
  return Math.hypot(at(affine, 0, column), at(affine, 1, column), at(affine, 2, column));
}

/** The volume of a voxel in cubic mm; negative if the axes are left-handed. */
export function determinantOf(m: Affine): number {
  return (
    at(m, 0, 0) * (at(m, 1, 1) * at(m, 2, 2) - at(m, 1, 2) * at(m, 2, 1)) -
    at(m, 0, 1) * (at(m, 1, 0) * at(m, 2, 2) - at(m, 1, 2) * at(m, 2, 0)) +
    at(m, 0, 2) * (at(m, 1, 0) * at(m, 2, 1) - at(m, 1, 1) * at(m, 2, 0))
  );
}

/** The largest distance in mm between the positions of a corner of a volume under two affines. */
export function affineDistance(a: Affine, b: Affine, size: readonly [number, number, number]): number {
  let largest = 0;
  for (const i of [0, size[0]])
    for (const j of [0, size[1]])
      for (const k of [0, size[2]]) {
        const difference = [0, 1, 2].map((row) =>
          [i, j, k, 1].reduce(
            (sum, index, column) => sum + index * (at(a, row, column) - at(b, row, column)),
            0,
          ),
        );
        largest = Math.max(largest, Math.hypot(...difference));
      }
  return largest;
}

const DIRECTIONS = ['LR', 'PA', 'IS'] as const;

/**
 * The nearest directions of the body for the axes of a volume: with `RAS`, growing x, y, z go to the right, to the front
 * (anterior) and upwards (superior).
 */
export function axisCodes(affine: Affine): string {
  const codes = ['', '', ''];
  const rows = new Set([0, 1, 2]);
  const columns = new Set([0, 1, 2]);
  while (columns.size > 0) {
    // The pair of axes that agree best goes first, so that every direction is used once.
    let [bestRow, bestColumn, best] = [0, 0, -1];
    for (const row of rows)
      for (const column of columns) {
        const cosine = Math.abs(at(affine, row, column)) / columnLength(affine, column);
        if (cosine > best) [bestRow, bestColumn, best] = [row, column, cosine];
      }
    rows.delete(bestRow);
    columns.delete(bestColumn);
    codes[bestColumn] = (DIRECTIONS[bestRow] as string)[
      at(affine, bestRow, bestColumn) < 0 ? 0 : 1
    ] as string;
  }
  return codes.join('');
}

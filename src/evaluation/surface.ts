// The surface of a mask as elements with an area: one at every corner of the grid where voxels inside and outside meet. This is
// the surface of google-deepmind/surface-distance (S. Nikolov et al., arXiv 1809.04430).
//
// The eight voxels around a corner are a cell of marching cubes (W. E. Lorensen and H. E. Cline, 1987) with a value of 0 or 1
// at each vertex, so the surface cuts edges in the middle. In each of the 14 cases of that paper, the vertices of the smaller side
// form groups that are connected along edges. Triangles cut off each group separately; there are six kinds of groups.

import { type Extent } from '../data/preprocess.js';

/** All voxels around a corner are inside. */
const ALL = 255;

/** The number of voxel corners along each axis: one more than voxels. */
export function cornerGrid([nx, ny, nz]: Extent): Extent {
  return [nx + 1, ny + 1, nz + 1];
}

/**
 * For each corner, a code of the eight voxels around it: bit x + 2y + 4z is set if that voxel is in the mask (0, 1), where x, y, z
 * are 1 for the voxel behind the corner along that axis. Everything beyond the grid is outside.
 */
export function cornerCodes(mask: Uint8Array, size: Extent): Uint8Array {
  const [nx, ny, nz] = size;
  const [cx, cy, cz] = cornerGrid(size);
  const codes = new Uint8Array(cx * cy * cz);
  const plane = cx * cy;
  // The four bits of the voxels in one plane: for the previous plane and for the current one.
  let [before, here] = [new Uint8Array(plane), new Uint8Array(plane)];
  for (let z = 0; z < cz; z++) {
    [before, here] = [here, before];
    here.fill(0);
    if (z < nz)
      for (let y = 0; y < ny; y++) {
        const row = (z * ny + y) * nx;
        const upper = y * cx;
        let last = 0;
        for (let x = 0; x <= nx; x++) {
          const voxel = x < nx ? (mask[row + x] as number) : 0;
          const pair = last | (voxel << 1);
          last = voxel;
          here[upper + x] = (here[upper + x] as number) | (pair << 2);
          here[upper + cx + x] = pair;
        }
      }
    const out = z * plane;
    for (let i = 0; i < plane; i++) codes[out + i] = (before[i] as number) | ((here[i] as number) << 4);
  }
  return codes;
}

/** 1 where a corner has a surface element, else 0. */
export function elementsOf(codes: Uint8Array): Uint8Array {
  return codes.map((code) => (code !== 0 && code !== ALL ? 1 : 0));
}

/** The area in square mm of the surface element of each code, for voxels of a spacing in mm. */
export function elementAreas(spacing: Extent): Float64Array {
  return Float64Array.from({ length: ALL + 1 }, (_, code) => {
    const inside = bitsOf(code);
    const smaller = inside.length <= 4 ? inside : bitsOf(ALL - code);
    return partsOf(smaller).reduce((sum, part) => sum + partArea(part, spacing), 0);
  });
}

function bitsOf(code: number): number[] {
  return [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (code >> bit) & 1);
}

/** The axis (0, 1, 2) of the edge between two vertices of a cell; undefined if there is none. */
function edgeBetween(a: number, b: number): number | undefined {
  const axis = [1, 2, 4].indexOf(a ^ b);
  return axis < 0 ? undefined : axis;
}

/** Groups of vertices that are connected along edges. */
function partsOf(vertices: readonly number[]): number[][] {
  const parts: number[][] = [];
  for (const vertex of vertices) {
    const touched = parts.filter((part) => part.some((other) => edgeBetween(vertex, other) !== undefined));
    for (const part of touched) parts.splice(parts.indexOf(part), 1);
    parts.push([...touched.flat(), vertex]);
  }
  return parts;
}

/** The area of the triangles that cut off one group: one to four vertices, connected along edges. */
function partArea(part: readonly number[], [sx, sy, sz]: Extent): number {
  // Areas of the faces of a voxel, by the axis perpendicular to them.
  const faces = [sy * sz, sx * sz, sx * sy] as const;
  const face = (axis: number): number => faces[axis] as number;
  /** The triangle that cuts off one vertex. */
  const tip = Math.hypot(...faces) / 8;
  /** A triangle that is half of the rectangle along an axis. */
  const slant = (axis: number): number => Math.hypot(face((axis + 1) % 3), face((axis + 2) % 3)) / 4;
  const edges = part.flatMap((a, i) => part.slice(i + 1).flatMap((b) => edgeBetween(a, b) ?? []));
  const axes = new Set(edges);
  /** The axis that is parallel to no edge. */
  const across = [0, 1, 2].find((axis) => !axes.has(axis)) ?? 0;
  const degree = (vertex: number): number =>
    part.filter((other) => edgeBetween(vertex, other) !== undefined).length;
  switch (edges.length) {
    case 0:
      return tip;
    case 1:
      return 2 * slant(edges[0] as number);
    case 2:
      return 3 * tip + face(across) / 2;
    case 4:
      return face(across);
    default: {
      // Four vertices and three edges: all edges meet at one vertex, or they form a path along all three axes.
      if (part.some((vertex) => degree(vertex) === 3)) return 6 * tip;
      const ends = part.filter((vertex) => degree(vertex) === 1);
      const endAxes = ends.map((end) => part.flatMap((other) => edgeBetween(end, other) ?? [])[0] as number);
      return 4 * tip + endAxes.reduce((sum, axis) => sum + slant(axis), 0);
    }
  }
}

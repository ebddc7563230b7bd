// Draws in a cube of voxels: tubes, ellipsoids, smooth fields and noise. Coordinates are from 0 to 1 along x, y, z,
// so that a phantom looks the same at any size.

import { type RandomStream } from '../../random.js';

export type Point = readonly [x: number, y: number, z: number];

/** The volume under construction. */
export interface Canvas {
  readonly size: number;
  readonly random: RandomStream;
  /** (z, y, x) */
  readonly image: Float32Array;
  readonly label: Uint8Array;
}

export function newCanvas(size: number, random: RandomStream): Canvas {
  return { size, random, image: new Float32Array(size ** 3), label: new Uint8Array(size ** 3) };
}

/** Calls paint(index) for every voxel within a box, given by two corners, whose inside() is below 1. */
function fill(
  { size }: Canvas,
  low: Point,
  high: Point,
  inside: (x: number, y: number, z: number) => number,
  paint: (index: number, depth: number) => void,
): void {
  const range = ([a, b]: readonly [number, number]): [number, number] => [
    Math.max(0, Math.floor(a * size - 0.5)),
    Math.min(size - 1, Math.ceil(b * size - 0.5)),
  ];
  const [x0, x1] = range([low[0], high[0]]);
  const [y0, y1] = range([low[1], high[1]]);
  const [z0, z1] = range([low[2], high[2]]);
  for (let z = z0; z <= z1; z++)
    for (let y = y0; y <= y1; y++)
      for (let x = x0; x <= x1; x++) {
        const depth = inside((x + 0.5) / size, (y + 0.5) / size, (z + 0.5) / size);
        if (depth < 1) paint((z * size + y) * size + x, depth);
      }
}

/** An axis-aligned ellipsoid: paint(index, depth) with depth 0 at its centre and 1 on its surface. */
export function ellipsoid(
  canvas: Canvas,
  centre: Point,
  radii: Point,
  paint: (index: number, depth: number) => void,
): void {
  fill(
    canvas,
    [centre[0] - radii[0], centre[1] - radii[1], centre[2] - radii[2]],
    [centre[0] + radii[0], centre[1] + radii[1], centre[2] + radii[2]],
    (x, y, z) =>
      ((x - centre[0]) / radii[0]) ** 2 +
      ((y - centre[1]) / radii[1]) ** 2 +
      ((z - centre[2]) / radii[2]) ** 2,
    paint,
  );
}

/**
 * A tube around a line of points with a varying radius: paint(index, depth, t) with depth from 0 to 1 (squared
 * distance over squared radius) and t from 0 to 1 along the line.
 */
export function tube(
  canvas: Canvas,
  points: readonly Point[],
  radius: (t: number) => number,
  paint: (index: number, depth: number, t: number) => void,
): void {
  const largest = Math.max(...points.map((_, i) => radius(i / (points.length - 1))));
  const bound = (axis: 0 | 1 | 2, sign: 1 | -1): number =>
    sign * Math.max(...points.map((point) => sign * point[axis])) + sign * largest;
  let nearest = 0;
  fill(
    canvas,
    [bound(0, -1), bound(1, -1), bound(2, -1)],
    [bound(0, 1), bound(1, 1), bound(2, 1)],
    (x, y, z) => {
      let best = Number.POSITIVE_INFINITY;
      for (let i = 0; i + 1 < points.length; i++) {
        const a = points[i] as Point;
        const b = points[i + 1] as Point;
        const [dx, dy, dz] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
        const along = ((x - a[0]) * dx + (y - a[1]) * dy + (z - a[2]) * dz) / (dx * dx + dy * dy + dz * dz);
        const s = Math.min(1, Math.max(0, along));
        const t = (i + s) / (points.length - 1);
        const squared = (x - a[0] - s * dx) ** 2 + (y - a[1] - s * dy) ** 2 + (z - a[2] - s * dz) ** 2;
        const depth = squared / radius(t) ** 2;
        if (depth < best) {
          best = depth;
          nearest = t;
        }
      }
      return best;
    },
    (index, depth) => paint(index, depth, nearest),
  );
}

/** A smooth random field with values of about -1 to 1: a grid of random numbers, interpolated linearly. */
export function smoothField({ size, random }: Canvas, cells: number): Float32Array {
  const nodes = cells + 1;
  const grid = Float32Array.from({ length: nodes ** 3 }, () => random.normal() * 0.6);
  const field = new Float32Array(size ** 3);
  const axis = Array.from({ length: size }, (_, i) => {
    const at = ((i + 0.5) / size) * cells;
    return { low: Math.floor(at), weight: at - Math.floor(at) };
  });
  let index = 0;
  for (const z of axis)
    for (const y of axis) {
      const node = (dz: number, dy: number): number => ((z.low + dz) * nodes + y.low + dy) * nodes;
      const rows = [node(0, 0), node(0, 1), node(1, 0), node(1, 1)] as const;
      for (const x of axis) {
        const along = (row: number): number =>
          (grid[row + x.low] as number) * (1 - x.weight) + (grid[row + x.low + 1] as number) * x.weight;
        const near = along(rows[0]) * (1 - y.weight) + along(rows[1]) * y.weight;
        const far = along(rows[2]) * (1 - y.weight) + along(rows[3]) * y.weight;
        field[index++] = near * (1 - z.weight) + far * z.weight;
      }
    }
  return field;
}

/** A number from low to high. */
export function between({ random }: Canvas, low: number, high: number): number {
  return low + (high - low) * random.uniform();
}

/** The point moved by up to `amount` along each axis. */
export function jitter(canvas: Canvas, point: Point, amount: number): Point {
  return point.map((value) => value + between(canvas, -amount, amount)) as unknown as Point;
}

/** Points on a smooth curve (Catmull-Rom) through the given points, with `steps` points for each section. */
export function curve(points: readonly Point[], steps: number): Point[] {
  const at = (i: number): Point => points[Math.min(points.length - 1, Math.max(0, i))] as Point;
  const result: Point[] = [];
  for (let i = 0; i + 1 < points.length; i++)
    for (let s = 0; s < steps; s++) {
      const t = s / steps;
      result.push(
        [0, 1, 2].map((axis) => {
          const [a, b, c, d] = [at(i - 1), at(i), at(i + 1), at(i + 2)].map((p) => p[axis] as number) as [
            number,
            number,
            number,
            number,
          ];
          return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
        }) as unknown as Point,
      );
    }
  result.push(at(points.length - 1));
  return result;
}

// Draws in a volume: tubes, ellipsoids, smooth fields and noise. Coordinates are from 0 to 1 along x, y, z of the whole
// phantom, so that it looks the same at any size, and in any part of it.

import { type RandomStream } from '../../random.js';
import { type Extent } from '../preprocess.js';

export type Point = readonly [x: number, y: number, z: number];

/** The part of a phantom that a volume shows. */
export interface View {
  /** Voxels of the volume along x, y, z. */
  readonly size: Extent;
  /** Voxels of the whole phantom at the spacing of the volume. */
  readonly whole: Extent;
  /** Voxels of the phantom before the volume. */
  readonly offset: Extent;
}

/** The volume under construction. */
export interface Canvas extends View {
  readonly random: RandomStream;
  /** (z, y, x) */
  readonly image: Float32Array;
  readonly label: Uint8Array;
}

export function newCanvas(view: View, random: RandomStream): Canvas {
  const voxels = voxelsIn(view);
  return { ...view, random, image: new Float32Array(voxels), label: new Uint8Array(voxels) };
}

function voxelsIn({ size: [x, y, z] }: View): number {
  return x * y * z;
}

/** The coordinates of the voxel centres along an axis. */
function coordinates({ size, whole, offset }: View, axis: 0 | 1 | 2): number[] {
  return Array.from({ length: size[axis] }, (_, i) => (offset[axis] + i + 0.5) / whole[axis]);
}

/** Calls paint(index) for every voxel within a box, given by two corners, whose inside() is below 1. */
function fill(
  canvas: Canvas,
  low: Point,
  high: Point,
  inside: (x: number, y: number, z: number) => number,
  paint: (index: number, depth: number) => void,
): void {
  const { size, whole, offset } = canvas;
  const range = (axis: 0 | 1 | 2): [number, number] => [
    Math.max(0, Math.floor(low[axis] * whole[axis] - 0.5) - offset[axis]),
    Math.min(size[axis] - 1, Math.ceil(high[axis] * whole[axis] - 0.5) - offset[axis]),
  ];
  const [[x0, x1], [y0, y1], [z0, z1]] = [range(0), range(1), range(2)];
  const [xs, ys, zs] = [coordinates(canvas, 0), coordinates(canvas, 1), coordinates(canvas, 2)];
  for (let z = z0; z <= z1; z++)
    for (let y = y0; y <= y1; y++)
      for (let x = x0; x <= x1; x++) {
        const depth = inside(xs[x] as number, ys[y] as number, zs[z] as number);
        if (depth < 1) paint((z * size[1] + y) * size[0] + x, depth);
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
export function smoothField(canvas: Canvas, cells: number): Float32Array {
  const nodes = cells + 1;
  const grid = Float32Array.from({ length: nodes ** 3 }, () => canvas.random.normal() * 0.6);
  const field = new Float32Array(voxelsIn(canvas));
  const along = (axis: 0 | 1 | 2): { low: number; weight: number }[] =>
    coordinates(canvas, axis).map((coordinate) => {
      const at = coordinate * cells;
      return { low: Math.floor(at), weight: at - Math.floor(at) };
    });
  const [xs, ys, zs] = [along(0), along(1), along(2)];
  let index = 0;
  for (const z of zs)
    for (const y of ys) {
      const node = (dz: number, dy: number): number => ((z.low + dz) * nodes + y.low + dy) * nodes;
      const rows = [node(0, 0), node(0, 1), node(1, 0), node(1, 1)] as const;
      for (const x of xs) {
        const between = (row: number): number =>
          (grid[row + x.low] as number) * (1 - x.weight) + (grid[row + x.low + 1] as number) * x.weight;
        const near = between(rows[0]) * (1 - y.weight) + between(rows[1]) * y.weight;
        const far = between(rows[2]) * (1 - y.weight) + between(rows[3]) * y.weight;
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

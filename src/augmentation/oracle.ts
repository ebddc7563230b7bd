// Augmentation in plain JavaScript: slow and obvious. What the native engine computes equals it to the bit, so all
// arithmetic is float32, operation by operation, except for sums and for the coordinates of rows, which are float64.

import { type Sample } from '../engine/engine.js';
import { type Extent } from '../data/preprocess.js';
import { type DrawnAugmentation, type IntensityStep, type Matrix } from './draw.js';
import { addNoise, exponential, logarithm } from './float32.js';
import { type Region, centreOf, isIdentity } from './region.js';

const f = Math.fround;
const voxelsOf = ([x, y, z]: Extent): number => x * y * z;

/** The sample that `drawn` makes of a region: see `augment`. */
export function augmentSlowly(region: Region, patch: Extent, drawn: DrawnAugmentation): Sample {
  const count = voxelsOf(patch);
  const sample = {
    image: new Float32Array(region.channels * count),
    label: new Uint8Array(count),
  };
  transform(region, patch, drawn.matrix, sample);
  for (const [channel, steps] of drawn.channels.entries()) {
    const voxels = sample.image.subarray(channel * count, (channel + 1) * count);
    for (const step of steps) change(voxels, patch, step);
  }
  return sample;
}

/** Fills the sample with what lies at its voxels: linear for images, nearest for the label, 0 outside of the region. */
function transform(region: Region, patch: Extent, matrix: Matrix, { image, label }: Sample): void {
  const count = voxelsOf(patch);
  const size = voxelsOf(region.size);
  const centre = centreOf(patch);
  const cut = isIdentity(matrix);
  let at = 0;
  for (let z = 0; z < patch[2]; z++)
    for (let y = 0; y < patch[1]; y++) {
      const first = ([0, 1, 2] as const).map((axis) => {
        const row = matrix.slice(axis * 3, axis * 3 + 3) as [number, number, number];
        const turned = row[1] * (y - centre[1]) + row[2] * (z - centre[2]) - row[0] * centre[0];
        return f(turned + centre[axis] - region.start[axis]);
      });
      for (let x = 0; x < patch[0]; x++, at++) {
        const [px, py, pz] = ([0, 1, 2] as const).map((axis) => {
          const wanted = f((first[axis] as number) + f(x * f(matrix[axis * 3] as number)));
          return place(wanted, region.size[axis]);
        }) as [Place, Place, Place];
        for (let channel = 0; channel < region.channels; channel++)
          image[channel * count + at] = interpolate(
            region.image.subarray(channel * size, (channel + 1) * size),
            region.size,
            [px, py, pz],
            cut,
          );
        const inside = px.nearest !== undefined && py.nearest !== undefined && pz.nearest !== undefined;
        label[at] = inside
          ? (region.label[(pz.nearest * region.size[1] + py.nearest) * region.size[0] + px.nearest] as number)
          : 0;
      }
    }
}

/** Where a coordinate lies along an axis. */
interface Place {
  /** Indices of the voxels around it, with their weights: 0 for those that the axis does not have. */
  readonly low: number;
  readonly high: number;
  readonly lowWeight: number;
  readonly highWeight: number;
  /** Undefined outside of the axis. */
  readonly nearest: number | undefined;
}

function place(wanted: number, length: number): Place {
  // One more, so that it is not negative and truncating rounds down.
  const more = f(within(wanted, -1, length) + 1);
  const high = Math.trunc(more);
  const low = high - 1;
  const weight = f(more - high);
  const nearest = Math.trunc(f(more + 0.5)) - 1;
  return {
    low: Math.min(Math.max(low, 0), length - 1),
    high: Math.min(high, length - 1),
    lowWeight: low >= 0 && low < length ? f(1 - weight) : 0,
    highWeight: high < length ? weight : 0,
    nearest: nearest >= 0 && nearest < length ? nearest : undefined,
  };
}

/** By comparisons, which tell 0 from -0 as the native engine does. */
function within(value: number, min: number, max: number): number {
  return value < min ? min : value > max ? max : value;
}

function interpolate(
  voxels: Float32Array,
  size: Extent,
  [px, py, pz]: readonly [Place, Place, Place],
  cut: boolean,
): number {
  // The same voxel, even where its neighbours are infinite.
  if (cut)
    return px.lowWeight * py.lowWeight * pz.lowWeight === 0
      ? 0
      : (voxels[(pz.low * size[1] + py.low) * size[0] + px.low] as number);
  const alongX = (z: number, y: number): number => {
    const row = (z * size[1] + y) * size[0];
    return f(
      f((voxels[row + px.low] as number) * px.lowWeight) +
        f((voxels[row + px.high] as number) * px.highWeight),
    );
  };
  const alongY = (z: number): number =>
    f(f(alongX(z, py.low) * py.lowWeight) + f(alongX(z, py.high) * py.highWeight));
  return f(f(alongY(pz.low) * pz.lowWeight) + f(alongY(pz.high) * pz.highWeight));
}

/** Changes the intensities of one channel in place. */
function change(voxels: Float32Array, size: Extent, step: IntensityStep): void {
  switch (step.kind) {
    case 'noise':
      return addNoise(voxels, step.deviation, step.seed);
    case 'blur':
      return blur(voxels, size, step.weights);
    case 'brightness': {
      const factor = f(step.factor);
      for (let i = 0; i < voxels.length; i++) voxels[i] = f((voxels[i] as number) * factor);
      return;
    }
    case 'contrast':
      return stretch(voxels, f(step.factor));
    case 'lowResolution':
      return lowerResolution(voxels, size, step.scale);
    case 'gamma':
      return raise(voxels, f(step.exponent), step.inverted);
  }
}

/** Blurs along x, then y, then z; beyond the border lie copies of its voxels. */
function blur(voxels: Float32Array, size: Extent, weights: readonly number[]): void {
  const strides = [1, size[0], size[0] * size[1]] as const;
  const from = new Float32Array(voxels.length);
  for (const axis of [0, 1, 2] as const) {
    from.set(voxels);
    const [stride, last] = [strides[axis], size[axis] - 1];
    for (let at = 0; at < voxels.length; at++) {
      const index = Math.floor(at / stride) % size[axis];
      const neighbour = (distance: number): number =>
        from[at + (Math.min(Math.max(index + distance, 0), last) - index) * stride] as number;
      let sum = f(f(weights[0] as number) * neighbour(0));
      for (let d = 1; d < weights.length; d++)
        sum = f(sum + f(f(weights[d] as number) * f(neighbour(-d) + neighbour(d))));
      voxels[at] = sum;
    }
  }
}

interface Statistics {
  readonly mean: number;
  readonly deviation: number;
  readonly min: number;
  readonly max: number;
}

/** In float64, in 16 sums that are added at the end: the order in which vectors of any width can add. */
function statistics(voxels: Float32Array): Statistics {
  const sums = new Float64Array(16);
  const squares = new Float64Array(16);
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const [i, value] of voxels.entries()) {
    sums[i % 16] = (sums[i % 16] as number) + value;
    squares[i % 16] = (squares[i % 16] as number) + value * value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const mean = sums.reduce((a, b) => a + b) / voxels.length;
  const variance = squares.reduce((a, b) => a + b) / voxels.length - mean * mean;
  return { mean, deviation: Math.sqrt(Math.max(0, variance)), min, max };
}

function stretch(voxels: Float32Array, factor: number): void {
  const { mean, min, max } = statistics(voxels);
  const middle = f(mean);
  for (let i = 0; i < voxels.length; i++) {
    const value = f(f(f((voxels[i] as number) - middle) * factor) + middle);
    voxels[i] = within(value, min, max);
  }
}

/** Brought to 0 to 1, to a power, then back to the mean and deviation of before. Constant voxels stay as they are. */
function raise(voxels: Float32Array, exponent: number, inverted: boolean): void {
  const before = statistics(voxels);
  if (!(before.max > before.min)) return;
  const scale = f((inverted ? -1 : 1) / (before.max - before.min));
  const origin = inverted ? before.max : before.min;
  for (let i = 0; i < voxels.length; i++) {
    const share = f(f((voxels[i] as number) - origin) * scale);
    const power = share > 0 ? exponential(f(exponent * logarithm(share))) : 0;
    voxels[i] = inverted ? -power : power;
  }
  const after = statistics(voxels);
  const back = f(before.deviation / Math.max(after.deviation, 1e-8));
  const shift = f(before.mean - after.mean * back);
  for (let i = 0; i < voxels.length; i++) voxels[i] = f(f((voxels[i] as number) * back) + shift);
}

/** Keeps the voxels nearest to those of a coarser grid over the same extent, and interpolates between them. */
function lowerResolution(voxels: Float32Array, size: Extent, scale: number): void {
  const few = size.map((length) => Math.max(1, Math.floor(length * scale + 0.5))) as unknown as Extent;
  const kept = new Float32Array(voxelsOf(few));
  let at = 0;
  const taken = (index: number, axis: 0 | 1 | 2): number =>
    Math.min(size[axis] - 1, Math.floor(((index + 0.5) * size[axis]) / few[axis]));
  for (let z = 0; z < few[2]; z++)
    for (let y = 0; y < few[1]; y++)
      for (let x = 0; x < few[0]; x++)
        kept[at++] = voxels[(taken(z, 2) * size[1] + taken(y, 1)) * size[0] + taken(x, 0)] as number;
  const between = (index: number, axis: 0 | 1 | 2): { low: number; high: number; weight: number } => {
    const wanted = Math.min(Math.max(((index + 0.5) * few[axis]) / size[axis] - 0.5, 0), few[axis] - 1);
    const low = Math.floor(wanted);
    return { low, high: Math.min(low + 1, few[axis] - 1), weight: f(wanted - low) };
  };
  const mix = (a: number, b: number, weight: number): number => f(f(a * f(1 - weight)) + f(b * weight));
  at = 0;
  for (let z = 0; z < size[2]; z++)
    for (let y = 0; y < size[1]; y++)
      for (let x = 0; x < size[0]; x++) {
        const [px, py, pz] = [between(x, 0), between(y, 1), between(z, 2)];
        const value = (i: number, j: number, k: number): number =>
          kept[(k * few[1] + j) * few[0] + i] as number;
        const plane = (i: number, k: number): number =>
          mix(value(i, py.low, k), value(i, py.high, k), py.weight);
        const line = (i: number): number => mix(plane(i, pz.low), plane(i, pz.high), pz.weight);
        voxels[at++] = mix(line(px.low), line(px.high), px.weight);
      }
}

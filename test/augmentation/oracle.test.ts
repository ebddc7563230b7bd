import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type IntensityStep, type Matrix, IDENTITY } from '../../src/augmentation/draw.js';
import { exponential, logarithm } from '../../src/augmentation/float32.js';
import { gaussianWeights } from '../../src/augmentation/gaussian.js';
import { augmentSlowly } from '../../src/augmentation/oracle.js';
import { type Region, sourceRegion } from '../../src/augmentation/region.js';
import { type Extent } from '../../src/data/preprocess.js';
import { resample } from '../../src/data/resample.js';
import { stream } from '../../src/random.js';

const f = Math.fround;
const LINEAR = [false, false, false] as const;
const NEAREST = [true, true, true] as const;

function madeRegion(size: Extent, start: Extent = [0, 0, 0], channels = 1): Region {
  const random = stream(3, 'region', ...size, ...start);
  const count = size[0] * size[1] * size[2];
  return {
    start,
    size,
    channels,
    image: Float32Array.from({ length: channels * count }, () => random.normal()),
    label: Uint8Array.from({ length: count }, () => random.integer(4)),
  };
}

function intensities(region: Region, step: IntensityStep): Float32Array {
  return augmentSlowly(region, region.size, { matrix: IDENTITY, channels: [[step]] }).image;
}

function nearly(found: Float32Array, wanted: ArrayLike<number>, tolerance: number): void {
  assert.equal(found.length, wanted.length);
  for (let i = 0; i < found.length; i++) {
    const [a, b] = [found[i] as number, wanted[i] as number];
    assert.ok(Math.abs(a - b) <= tolerance, `${i}: ${a}, expected ${b}`);
  }
}

test('the identity cuts the patch out of its region, with zeros beyond', () => {
  const region = madeRegion([5, 4, 3], [-1, 2, 0], 2);
  const patch = [3, 7, 4] as const;
  const { image, label } = augmentSlowly(region, patch, { matrix: IDENTITY, channels: [[], []] });
  for (let channel = 0; channel < 2; channel++)
    for (let z = 0; z < 4; z++)
      for (let y = 0; y < 7; y++)
        for (let x = 0; x < 3; x++) {
          const [i, j, k] = [x + 1, y - 2, z];
          const inside = i < 5 && j >= 0 && j < 4 && k < 3;
          const from = (k * 4 + j) * 5 + i;
          const at = (z * 7 + y) * 3 + x;
          assert.equal(image[channel * 84 + at], inside ? region.image[channel * 60 + from] : 0);
          if (channel === 0) assert.equal(label[at], inside ? region.label[from] : 0);
        }
});

test('quarter turns and mirrors are permutations', () => {
  const region = madeRegion([6, 6, 6]);
  const turns: [Matrix, (x: number, y: number, z: number) => number][] = [
    [[0, -1, 0, 1, 0, 0, 0, 0, 1], (x, y, z) => (z * 6 + x) * 6 + 5 - y],
    [[0, 0, 1, 0, 1, 0, -1, 0, 0], (x, y, z) => ((5 - x) * 6 + y) * 6 + z],
    [[-1, 0, 0, 0, 1, 0, 0, 0, -1], (x, y, z) => ((5 - z) * 6 + y) * 6 + 5 - x],
  ];
  for (const [matrix, source] of turns) {
    const { image, label } = augmentSlowly(region, region.size, { matrix, channels: [[]] });
    for (let z = 0, at = 0; z < 6; z++)
      for (let y = 0; y < 6; y++)
        for (let x = 0; x < 6; x++, at++) {
          assert.equal(image[at], region.image[source(x, y, z)]);
          assert.equal(label[at], region.label[source(x, y, z)]);
        }
  }
});

test('a region that is larger than needed changes nothing', () => {
  const whole = madeRegion([17, 15, 13], [-4, -4, -4]);
  const patch = [9, 7, 5] as const;
  const matrix = [0.9173, 0.2031, -0.1017, -0.2093, 1.0971, 0.1049, 0.1151, 0.0533, 0.8047];
  const { start, size } = sourceRegion(patch, { matrix });
  const offset = start.map((each, axis) => each - (whole.start[axis] as number)) as [number, number, number];
  const count = size[0] * size[1] * size[2];
  const part: Region = {
    start,
    size,
    channels: 1,
    image: new Float32Array(count),
    label: new Uint8Array(count),
  };
  for (let z = 0, at = 0; z < size[2]; z++)
    for (let y = 0; y < size[1]; y++)
      for (let x = 0; x < size[0]; x++, at++) {
        const from = ((z + offset[2]) * 15 + y + offset[1]) * 17 + x + offset[0];
        part.image[at] = whole.image[from] as number;
        part.label[at] = whole.label[from] as number;
      }
  const drawn = { matrix, channels: [[]] };
  nearly(augmentSlowly(part, patch, drawn).image, augmentSlowly(whole, patch, drawn).image, 2e-5);
  assert.deepEqual(augmentSlowly(part, patch, drawn).label, augmentSlowly(whole, patch, drawn).label);
});

test('scaling samples where resampling does', () => {
  // A volume resampled to twice the voxels, cut to its centre, is the same as one twice as large.
  const size = [8, 6, 10] as const;
  const region = madeRegion(size);
  const [nx, ny, nz] = [16, 12, 20] as const;
  const larger = resample(region.image, size, [nx, ny, nz], LINEAR);
  const { image } = augmentSlowly(region, size, {
    matrix: [0.5, 0, 0, 0, 0.5, 0, 0, 0, 0.5],
    channels: [[]],
  });
  const wanted = [...image.keys()].map((at) => {
    const [x, y, z] = [at % 8, Math.floor(at / 8) % 6, Math.floor(at / 48)];
    return larger[((z + 5) * ny + y + 3) * nx + x + 4] as number;
  });
  nearly(image, wanted, 1e-6);
});

test('a blur is a convolution with a Gaussian along each axis, its border repeated', () => {
  const size = [7, 5, 9] as const;
  const region = madeRegion(size);
  const weights = gaussianWeights(0.8);
  assert.equal(weights.length, 4);
  const inside = (value: number, length: number): number => Math.min(Math.max(value, 0), length - 1);
  const wanted = [...region.label.keys()].map((at) => {
    const [x, y, z] = [at % 7, Math.floor(at / 7) % 5, Math.floor(at / 35)];
    let sum = 0;
    for (let k = -3; k <= 3; k++)
      for (let j = -3; j <= 3; j++)
        for (let i = -3; i <= 3; i++)
          sum +=
            (weights[Math.abs(i)] as number) *
            (weights[Math.abs(j)] as number) *
            (weights[Math.abs(k)] as number) *
            (region.image[(inside(z + k, 9) * 5 + inside(y + j, 5)) * 7 + inside(x + i, 7)] as number);
    return sum;
  });
  nearly(intensities(region, { kind: 'blur', weights }), wanted, 1e-6);
});

test('lower resolution takes the nearest voxels and interpolates, as resampling does', () => {
  const size = [9, 8, 5] as const;
  const region = madeRegion(size);
  const few = [5, 5, 3] as const;
  const wanted = resample(resample(region.image, size, few, NEAREST), few, size, LINEAR);
  nearly(intensities(region, { kind: 'lowResolution', scale: 0.6 }), wanted, 1e-6);
  nearly(intensities(region, { kind: 'lowResolution', scale: 1 }), region.image, 0);
});

test('noise is normal, has its deviation, and differs by seed and from voxel to voxel', () => {
  const size = [41, 37, 29] as const;
  const count = 41 * 37 * 29;
  const region = { ...madeRegion(size), image: new Float32Array(count) };
  const noise = intensities(region, { kind: 'noise', deviation: 2, seed: [1, 2] });
  const moment = (power: number): number =>
    noise.reduce((sum, value) => sum + (value / 2) ** power, 0) / count;
  for (const [power, wanted, tolerance] of [
    [1, 0, 0.02],
    [2, 1, 0.03],
    [3, 0, 0.06],
    [4, 3, 0.2],
  ] as const)
    assert.ok(Math.abs(moment(power) - wanted) < tolerance, `moment ${power}: ${moment(power)}`);
  // Neighbours along every axis, and the two halves that share hashes, are not correlated.
  for (const distance of [1, 41, 41 * 37, Math.ceil(count / 2)]) {
    let sum = 0;
    for (let i = 0; i + distance < count; i++) sum += (noise[i] as number) * (noise[i + distance] as number);
    const correlation = sum / (4 * (count - distance));
    assert.ok(Math.abs(correlation) < 0.03, `distance ${distance}: ${correlation}`);
  }
  assert.ok(noise.filter((value) => Math.abs(value) > 6).length / count < 0.006);
  assert.notDeepEqual(intensities(region, { kind: 'noise', deviation: 2, seed: [1, 3] }), noise);
  assert.notDeepEqual(intensities(region, { kind: 'noise', deviation: 2, seed: [2, 2] }), noise);
});

function moments(voxels: Float32Array): { mean: number; deviation: number } {
  const mean = voxels.reduce((a, b) => a + b, 0) / voxels.length;
  return { mean, deviation: Math.sqrt(voxels.reduce((sum, v) => sum + (v - mean) ** 2, 0) / voxels.length) };
}

test('brightness multiplies; contrast multiplies distances from the mean within the range', () => {
  const region = madeRegion([7, 6, 5]);
  nearly(
    intensities(region, { kind: 'brightness', factor: 1.25 }),
    region.image.map((value) => value * f(1.25)),
    0,
  );
  const { mean } = moments(region.image);
  const [min, max] = [Math.min(...region.image), Math.max(...region.image)];
  nearly(
    intensities(region, { kind: 'contrast', factor: 1.2 }),
    [...region.image].map((value) => Math.min(max, Math.max(min, (value - mean) * 1.2 + mean))),
    1e-6,
  );
});

test('gamma bends intensities, and keeps their mean and deviation', () => {
  const region = madeRegion([7, 6, 5]);
  const before = moments(region.image);
  const [min, max] = [Math.min(...region.image), Math.max(...region.image)];
  for (const inverted of [false, true]) {
    const raised = [...region.image].map((value) =>
      inverted ? -(((max - value) / (max - min)) ** 1.4) : ((value - min) / (max - min)) ** 1.4,
    );
    const after = moments(Float32Array.from(raised));
    const wanted = raised.map(
      (value) => ((value - after.mean) / after.deviation) * before.deviation + before.mean,
    );
    nearly(intensities(region, { kind: 'gamma', exponent: 1.4, inverted }), wanted, 1e-5);
  }
  const constant = { ...region, image: new Float32Array(region.image.length).fill(3) };
  nearly(intensities(constant, { kind: 'gamma', exponent: 1.4, inverted: false }), constant.image, 0);
});

test('exp and log of float32 are within a few units in the last place', () => {
  const random = stream(4, 'exp');
  for (let i = 0; i < 5000; i++) {
    const x = f(random.uniform() * 100 - 80);
    assert.ok(Math.abs(exponential(x) / Math.exp(x) - 1) < 3e-7, `exp ${x}`);
    const y = f(Math.exp(x));
    assert.ok(Math.abs(logarithm(y) - Math.log(y)) <= 2e-7 * Math.max(1, Math.abs(Math.log(y))), `log ${y}`);
  }
  assert.equal(logarithm(1), 0);
});

test('maps and blurs are those of SciPy, with voxels that are not cubes', () => {
  const scipy = JSON.parse(
    readFileSync(new URL('../../../test/augmentation/fixtures/maps.json', import.meta.url), 'utf8'),
  ) as Record<'matrix' | 'image' | 'label' | 'turned' | 'nearest' | 'blurred', number[]> & {
    size: [number, number, number];
  };
  const region = {
    start: [0, 0, 0] as const,
    size: scipy.size,
    channels: 1,
    image: Float32Array.from(scipy.image),
    label: Uint8Array.from(scipy.label),
  };
  const found = augmentSlowly(region, scipy.size, { matrix: scipy.matrix, channels: [[]] });
  nearly(found.image, scipy.turned, 5e-6);
  assert.deepEqual([...found.label], scipy.nearest);
  nearly(intensities(region, { kind: 'blur', weights: gaussianWeights(0.9) }), scipy.blurred, 1e-6);
});

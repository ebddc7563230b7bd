// Measures an engine on synthetic volumes. Operations are counted from the architecture, so GFLOP/s of engines are comparable.

import { type Architecture, buildArchitecture, totalChannels } from '../network/architecture.js';
import { countMultiplyAdds, listOperations } from '../network/cost.js';
import { initialWeights } from '../network/weights.js';
import { stream } from '../random.js';
import { type ConvolutionPass, type Engine, type Network, type Sample, type VolumeSize } from './engine.js';

/** A network of a model family. */
export interface FamilyMember {
  readonly family: 'unet' | 'lunet';
  readonly n: number;
  readonly levels: number;
  readonly convs: number;
}

/** The work to measure. */
export interface Work {
  /** Voxels along each axis. */
  readonly size: number;
  readonly batch: number;
  readonly mode: 'train' | 'infer';
}

/** A network and the work to measure on it. */
export interface BenchCase extends Work {
  readonly network: string;
  readonly architecture: Architecture;
}

/** A member of a family with one input and one label. */
export function familyCase(member: FamilyMember, { size, batch, mode }: Work): BenchCase {
  const { family, n, levels, convs } = member;
  return {
    network: `${family} n=${n}, ${levels} levels, ${convs} convs`,
    architecture: buildArchitecture({ ...member, scale: 1, skips: true }, 1, 1),
    size,
    batch,
    mode,
  };
}

/** The standard list: the networks of the paper at its smaller volume size. */
export const STANDARD_LIST: readonly (FamilyMember & Work)[] = [
  { family: 'lunet', n: 4, levels: 5, convs: 2, size: 64, batch: 1, mode: 'infer' },
  { family: 'lunet', n: 4, levels: 5, convs: 2, size: 64, batch: 1, mode: 'train' },
  { family: 'lunet', n: 4, levels: 5, convs: 2, size: 64, batch: 16, mode: 'train' },
  { family: 'unet', n: 4, levels: 5, convs: 2, size: 64, batch: 16, mode: 'train' },
  { family: 'lunet', n: 24, levels: 4, convs: 3, size: 64, batch: 1, mode: 'train' },
  { family: 'unet', n: 24, levels: 4, convs: 3, size: 64, batch: 1, mode: 'train' },
];

export interface Measurement {
  /** Median over the measured steps. */
  readonly msPerVolume: number;
  readonly gflops: number;
  /** Peak resident size of the whole process so far. */
  readonly peakMemoryMB: number;
  /** The convolution passes of the measured steps, if requested and if the engine measures them. */
  readonly passes?: ConvolutionPass[];
  /** For engines that send operations to a library: operations per step; `deviceMemoryMB` is peak tensor memory on the device. */
  readonly operations?: number;
  readonly deviceMemoryMB?: number;
}

/** Loads a network with new weights; all its labels are the same region. */
function loadNew(
  engine: Engine,
  architecture: Architecture,
  size: VolumeSize,
  maxBatch: number,
): Promise<Network> {
  const targets = new Uint32Array(256);
  targets[1] = 2 ** architecture.labels - 1;
  const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
  return engine.load(
    { architecture, size, maxBatch, targets, adam },
    initialWeights(architecture, stream(1, 'bench')),
  );
}

/** Warm-up time: afterwards memory is mapped and the processor runs at full clock speed. */
const WARM_UP_MS = 300;

/** Runs a case `repeats` times after a warm-up, which is not measured. */
export async function measure(
  engine: Engine,
  test: BenchCase,
  repeats: number,
  withPasses = false,
): Promise<Measurement> {
  const { architecture, size, batch, mode } = test;
  const network = await loadNew(engine, architecture, [size, size, size], batch);
  const samples = Array.from({ length: batch }, () => sphere(size, architecture.inputChannels));
  const masks = new Float32Array(batch * totalChannels(architecture)).fill(1);
  const times: number[] = [];
  const run = async (): Promise<number> => {
    const began = performance.now();
    if (mode === 'train') await network.trainStep(samples, masks, 0.001);
    else
      await network.predict(
        samples.map(({ image }) => image),
        'running',
      );
    return performance.now() - began;
  };
  for (let warm = 0; warm < WARM_UP_MS;) warm += await run();
  engine.meter?.();
  if (withPasses) network.meter?.();
  for (let i = 0; i < repeats; i++) times.push((await run()) / batch);
  const metered = engine.meter?.();
  const passes = withPasses ? network.meter?.() : undefined;
  network.dispose();
  times.sort((a, b) => a - b);
  const msPerVolume = times[Math.floor(times.length / 2)] as number;
  return {
    msPerVolume,
    gflops: (2e-6 * caseMultiplyAdds(test)) / msPerVolume,
    peakMemoryMB: process.resourceUsage().maxRSS / 1024,
    ...(passes && { passes }),
    ...(metered && {
      operations: Math.round(metered.operations / repeats),
      deviceMemoryMB: metered.peakBytes / 1e6,
    }),
  };
}

/**
 * Seconds of training per multiply-add of a network: the best of a few steps on synthetic volumes. Used to estimate the time
 * of a run.
 */
export async function secondsPerMultiplyAdd(
  engine: Engine,
  architecture: Architecture,
  size: VolumeSize,
  batch: number,
): Promise<number> {
  const [depth, height, width] = size;
  const voxels = depth * height * width;
  const network = await loadNew(engine, architecture, size, batch);
  const image = Float32Array.from({ length: voxels * architecture.inputChannels }, (_, i) =>
    Math.sin(i * 12.9898),
  );
  const samples = Array.from({ length: batch }, () => ({ image, label: new Uint8Array(voxels) }));
  const masks = new Float32Array(batch * totalChannels(architecture)).fill(1);
  let best = Infinity;
  for (let i = 0; i < 3; i++) {
    const began = performance.now();
    await network.trainStep(samples, masks, 0.001);
    best = Math.min(best, performance.now() - began);
  }
  network.dispose();
  return best / 1000 / batch / (3 * countMultiplyAdds(architecture, voxels));
}

/**
 * Multiply-adds per volume. Training needs those of the forward pass three times: forward, gradients of weights, gradients of
 * inputs; the image itself needs no gradient.
 */
export function caseMultiplyAdds({ architecture, size, mode }: BenchCase): number {
  const voxels = size ** 3;
  const forward = countMultiplyAdds(architecture, voxels);
  if (mode === 'infer') return forward;
  return 3 * forward - (listOperations(architecture, voxels)[0] as { multiplyAdds: number }).multiplyAdds;
}

/** A bright ball in a pattern that is far from constant. */
function sphere(size: number, channels: number): Sample {
  const image = new Float32Array(channels * size ** 3);
  const label = new Uint8Array(size ** 3);
  const centre = (size - 1) / 2;
  for (let z = 0, i = 0; z < size; z++)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++, i++) {
        label[i] = Number((x - centre) ** 2 + (y - centre) ** 2 + (z - centre) ** 2 < (size / 4) ** 2);
        for (let c = 0; c < channels; c++)
          image[c * size ** 3 + i] = Math.sin(i * 12.9898) + (label[i] as number);
      }
  return { image, label };
}

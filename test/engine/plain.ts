// The network in evaluation mode in plain loops and double precision: slow, simple, and without code of any engine.

import { DEFAULT_LOSS, type NetworkSettings, type Sample, type VolumeSize } from '../../src/engine/engine.js';
import { type Architecture, type Layer, listLayers, upSource } from '../../src/network/architecture.js';

/** One channel of a volume, (D, H, W). */
type Channel = Float64Array;

/** A tensor's numbers, in any precision. */
export interface Numbers {
  readonly data: ArrayLike<number>;
}
type PlainWeights = ReadonlyMap<string, Numbers>;

export interface PlainPass {
  /** Each layer's channels after the ReLU. */
  readonly activations: readonly (readonly Channel[])[];
  /** Probabilities of each label. */
  readonly probabilities: readonly Channel[];
}

const halved = ([d, h, w]: VolumeSize): VolumeSize => [d / 2, h / 2, w / 2];
const at = (tensor: ArrayLike<number>, i: number): number => tensor[i] as number;

/** Runs one case, (C, D, H, W). */
export function plainForward(
  architecture: Architecture,
  weights: PlainWeights,
  image: Float32Array,
  size: VolumeSize,
): PlainPass {
  const get = (name: string): ArrayLike<number> => (weights.get(name) as Numbers).data;
  const voxels = size[0] * size[1] * size[2];
  const sizes = architecture.encoder.map((_, level) => {
    let s = size;
    for (let i = 0; i < level; i++) s = halved(s);
    return s;
  });
  let x: Channel[] = Array.from({ length: architecture.inputChannels }, (_, c) =>
    Float64Array.from(image.subarray(c * voxels, (c + 1) * voxels)),
  );
  const blocks = new Map<string, Channel[]>();
  const activations: Channel[][] = [];
  for (const layer of listLayers(architecture)) {
    const here = sizes[layer.level] as VolumeSize;
    if (layer.layer === 0) x = blockInput(layer, x);
    const activation = convolve(x, get(`${layer.name}.conv.weight`), get(`${layer.name}.conv.bias`), here);
    activations.push(activation);
    x = activation.map((channel, c) => {
      const norm = (what: string): number => at(get(`${layer.name}.norm.${what}`), c);
      const scale = norm('weight') / Math.sqrt(norm('running_var') + 1e-5);
      return channel.map((a) => (a - norm('running_mean')) * scale + norm('bias'));
    });
    blocks.set(`${layer.side}.${layer.level}`, x);
  }
  const [w, b] = [get('head.weight'), get('head.bias')];
  const probabilities = Array.from({ length: architecture.labels }, (_, k) =>
    Float64Array.from({ length: voxels }, (_, i) => {
      const logit = x.reduce(
        (sum, channel, c) => sum + at(w, k * x.length + c) * (channel[i] as number),
        at(b, k),
      );
      return 1 / (1 + Math.exp(-logit));
    }),
  );
  return { activations, probabilities };

  function blockInput({ side, level }: Layer, before: Channel[]): Channel[] {
    const fine = sizes[level] as VolumeSize;
    if (side === 'encoder')
      return level === 0 ? before : before.map((channel) => pool(channel, sizes[level - 1] as VolumeSize));
    const below = blocks.get(`${upSource(architecture, level).side}.${level + 1}`) as Channel[];
    const outputs = architecture.up[level] as number;
    const raised = raise(below, get(`up.${level}.weight`), get(`up.${level}.bias`), outputs, fine);
    return architecture.skips ? [...raised, ...(blocks.get(`encoder.${level}`) as Channel[])] : raised;
  }
}

/** The loss that `Network.trainStep` defines, as plain sums. */
export function plainLoss(
  architecture: Architecture,
  weights: PlainWeights,
  batch: readonly Sample[],
  targets: Uint32Array,
  size: VolumeSize,
  { loss: { entropy, batchDice } = DEFAULT_LOSS, ignored }: Pick<NetworkSettings, 'loss' | 'ignored'> = {},
): number {
  const groups = batchDice ? 1 : batch.length;
  const sums = Array.from({ length: groups * architecture.labels }, () => ({ both: 0, total: 1e-7 }));
  const cross = { sum: 0, count: 0 };
  for (const [n, { image, label }] of batch.entries()) {
    const { probabilities } = plainForward(architecture, weights, image, size);
    for (const [k, channel] of probabilities.entries())
      for (const [i, p] of channel.entries()) {
        if (label[i] === ignored) continue;
        const t = ((targets[label[i] as number] as number) >> k) & 1;
        const sum = sums[(n % groups) * architecture.labels + k] as (typeof sums)[0];
        sum.both += p * t;
        sum.total += p + t;
        cross.sum -= Math.log(t === 1 ? p : 1 - p);
        cross.count++;
      }
  }
  const dice = sums.reduce((all, { both, total }) => all + (2 * both) / total, 0) / sums.length;
  return 1 - dice + (entropy ? cross.sum / cross.count : 0);
}

/** 3x3x3 convolution with zero padding, bias, ReLU. */
function convolve(
  x: readonly Channel[],
  weight: ArrayLike<number>,
  bias: ArrayLike<number>,
  [D, H, W]: VolumeSize,
): Channel[] {
  return Array.from(bias, (b, o) => {
    const out = new Float64Array(D * H * W).fill(b);
    for (const [c, channel] of x.entries())
      for (let tap = 0; tap < 27; tap++) {
        const value = at(weight, (o * x.length + c) * 27 + tap);
        const [dz, dy, dx] = [Math.floor(tap / 9) - 1, (Math.floor(tap / 3) % 3) - 1, (tap % 3) - 1];
        for (let z = Math.max(0, -dz); z < Math.min(D, D - dz); z++)
          for (let y = Math.max(0, -dy); y < Math.min(H, H - dy); y++)
            for (let i = Math.max(0, -dx); i < Math.min(W, W - dx); i++) {
              const from = ((z + dz) * H + y + dy) * W + i + dx;
              const to = (z * H + y) * W + i;
              out[to] = (out[to] as number) + value * (channel[from] as number);
            }
      }
    return out.map((value) => Math.max(0, value));
  });
}

function pool(channel: Channel, [D, H, W]: VolumeSize): Channel {
  const out = new Float64Array((D * H * W) / 8).fill(-Infinity);
  for (const [i, value] of channel.entries()) {
    const [z, y, x] = [Math.floor(i / (H * W)), Math.floor(i / W) % H, i % W];
    const to = ((z >> 1) * (H / 2) + (y >> 1)) * (W / 2) + (x >> 1);
    out[to] = Math.max(out[to] as number, value);
  }
  return out;
}

/** 2x2x2 up-convolution with stride 2 to a volume of this size; weights (I, O, 2, 2, 2). */
function raise(
  x: readonly Channel[],
  weight: ArrayLike<number>,
  bias: ArrayLike<number>,
  outputs: number,
  [D, H, W]: VolumeSize,
): Channel[] {
  return Array.from({ length: outputs }, (_, o) =>
    Float64Array.from({ length: D * H * W }, (_, i) => {
      const [z, y, w] = [Math.floor(i / (H * W)), Math.floor(i / W) % H, i % W];
      const from = ((z >> 1) * (H / 2) + (y >> 1)) * (W / 2) + (w >> 1);
      const position = (z % 2) * 4 + (y % 2) * 2 + (w % 2);
      return x.reduce(
        (sum, channel, c) => sum + at(weight, (c * outputs + o) * 8 + position) * (channel[from] as number),
        at(bias, o),
      );
    }),
  );
}

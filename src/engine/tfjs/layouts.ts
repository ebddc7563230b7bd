// Converts between lunet's tensors (axis orders of PyTorch) and those of TensorFlow: volumes (N, D, H, W, C), filters
// (D, H, W, I, O).

import type * as tf from '@tensorflow/tfjs-core';
import { core } from './core.js';
import { type Tensor, type Weights } from '../../network/weights.js';
import { type NetworkSettings, type Sample } from '../engine.js';

const TO_TENSORFLOW = [2, 3, 4, 1, 0];
const FROM_TENSORFLOW = [4, 3, 0, 1, 2];

/** The shape of a tensor in the axis order of TensorFlow. */
export function tensorFlowShape(shape: readonly number[]): number[] {
  return shape.length === 5 ? TO_TENSORFLOW.map((axis) => shape[axis] as number) : [...shape];
}

/** Uploads a tensor; call it within core.tidy. */
export function toTensorFlow({ shape, data }: Tensor): tf.Tensor {
  const tensor = core.tensor(data, [...shape]);
  return shape.length === 5 ? core.transpose(tensor, TO_TENSORFLOW) : tensor;
}

/** Downloads a tensor in the axis order of PyTorch. */
async function fromTensorFlow(tensor: tf.Tensor): Promise<Tensor> {
  const turned = tensor.rank === 5 ? core.transpose(tensor, FROM_TENSORFLOW) : tensor;
  const result = { shape: turned.shape, data: Float32Array.from(await turned.data()) };
  if (turned !== tensor) turned.dispose();
  return result;
}

/** Volumes (C, D, H, W) as one tensor (N, D, H, W, C); call it within core.tidy. */
export function imageTensor(volumes: readonly Float32Array[], shape: readonly number[]): tf.Tensor5D {
  const stacked = core.stack(volumes.map((image) => core.tensor(image, [...shape])));
  const [, ...space] = shape as [number, number, number, number];
  return shape[0] === 1
    ? core.reshape(stacked, [volumes.length, ...space, 1])
    : core.transpose(stacked as tf.Tensor5D, [0, 2, 3, 4, 1]);
}

/** The target of each output at each voxel of a sample, 0 or 1, or -1 if the voxel is ignored: (1, D, H, W, labels). */
function targetTensor(
  { label }: Sample,
  { architecture, size, targets, ignored }: NetworkSettings,
): tf.Tensor5D {
  const { labels } = architecture;
  const data = new Float32Array(label.length * labels);
  for (let i = 0; i < label.length; i++)
    for (let k = 0; k < labels; k++)
      data[i * labels + k] = label[i] === ignored ? -1 : ((targets[label[i] as number] as number) >>> k) & 1;
  return core.tensor5d(data, [1, ...size, labels]);
}

interface Uploaded {
  readonly label: Uint8Array;
  readonly image: tf.Tensor5D;
  readonly target: tf.Tensor5D;
  readonly bytes: number;
}

/** Samples on the device. They are kept for later steps, so that no sample is uploaded again after the first epoch. */
export interface SampleStore {
  /** Images and targets of a batch; call it within core.tidy. */
  readonly batch: (
    samples: readonly Sample[],
    settings: NetworkSettings,
  ) => { image: tf.Tensor5D; target: tf.Tensor5D };
  /** Frees everything. */
  readonly clear: () => void;
}

/** A store of limited size in bytes. Removes the oldest samples first. */
export function createSampleStore(limit: number): SampleStore {
  const stored = new Map<Float32Array, Uploaded>();
  let meaning = '';
  let total = 0;
  const free = (key: Float32Array): void => {
    const { image, target, bytes } = stored.get(key) as Uploaded;
    core.dispose([image, target]);
    total -= bytes;
    stored.delete(key);
  };
  const clear = (): void => {
    for (const key of [...stored.keys()]) free(key);
  };
  return {
    clear,
    batch(samples, settings) {
      const { architecture, size, targets, ignored } = settings;
      // A network with other labels needs other targets for the same voxels.
      const now = JSON.stringify([
        size,
        architecture.labels,
        architecture.inputChannels,
        ignored,
        [...targets],
      ]);
      if (now !== meaning) clear();
      meaning = now;
      const found = samples.map((sample) => {
        const known = stored.get(sample.image);
        if (known?.label === sample.label) return known;
        if (known) free(sample.image);
        const image = imageTensor([sample.image], [architecture.inputChannels, ...size]);
        const target = targetTensor(sample, settings);
        const uploaded = { label: sample.label, image, target, bytes: 4 * (image.size + target.size) };
        if (uploaded.bytes * samples.length > limit) return uploaded;
        core.keep(image);
        core.keep(target);
        stored.set(sample.image, uploaded);
        total += uploaded.bytes;
        return uploaded;
      });
      const batch = {
        image: core.concat(found.map(({ image }) => image)),
        target: core.concat(found.map(({ target }) => target)),
      };
      for (const key of stored.keys()) {
        if (total <= limit) break;
        free(key);
      }
      return batch;
    },
  };
}

/** Downloads tensors by name in the axis order of PyTorch, and frees them. */
export async function download(tensors: ReadonlyMap<string, tf.Tensor>): Promise<Weights> {
  const copies = await Promise.all(
    [...tensors].map(async ([name, tensor]) => [name, await fromTensorFlow(tensor)] as const),
  );
  core.dispose([...tensors.values()]);
  return new Map(copies);
}

// The TensorFlow.js engine: loads a network's tensors into TensorFlow's layouts, and runs steps, evaluation and scoring
// on the passes of forward.ts and backward.ts.

import * as tf from '@tensorflow/tfjs-core';
import { activationBytes } from '../../network/cost.js';
import { totalChannels } from '../../network/architecture.js';
import { countParameters, listTensors } from '../../network/parameters.js';
import {
  initialOptimizerState,
  type OptimizerState,
  type Tensor,
  type Weights,
  tensorOf,
} from '../../network/weights.js';
import { type Engine, type Network, type NetworkSettings, type Overlap, type Sample } from '../engine.js';
import { useCpuBackend } from './backend.js';
import { type BackwardResult, backward, diceLoss } from './backward.js';
import { type LayerTrace, forward } from './forward.js';

const MOMENTUM = 0.1;
// PyTorch's axes of a convolution's weight to TensorFlow's, and back: both are their own inverse up to order.
const TO_TENSORFLOW = [2, 3, 4, 1, 0];
const FROM_TENSORFLOW = [4, 3, 0, 1, 2];

/** The engine on TensorFlow.js's backend in plain JavaScript: slow, but it needs nothing. */
export async function createTfjsEngine(): Promise<Engine> {
  await useCpuBackend();
  const estimateMemory = ({ architecture, size, maxBatch }: NetworkSettings): number =>
    6 * maxBatch * activationBytes(architecture, size[0] * size[1] * size[2]) +
    16 * countParameters(architecture);
  return {
    description: { name: 'cpu', device: 'JavaScript', threads: 1 },
    estimateMemory,
    load: (settings, weights, optimizer) =>
      Promise.resolve(
        loadNetwork(settings, weights, optimizer ?? initialOptimizerState(settings.architecture)),
      ),
  };
}

function loadNetwork(settings: NetworkSettings, weights: Weights, optimizer: OptimizerState): Network {
  const { architecture, size, targets } = settings;
  const [depth, height, width] = size;
  const all = listTensors(architecture);
  const names = all.map(({ name }) => name);
  const trained = all.filter(({ role }) => role !== 'statistic').map(({ name }) => name);
  const upload = (source: Weights, names: readonly string[]): Map<string, tf.Tensor> =>
    new Map(names.map((name) => [name, toTensorFlow(tensorOf(source, name))]));
  const values = upload(
    weights,
    all.map(({ name }) => name),
  );
  const m = upload(optimizer.m, trained);
  const v = upload(optimizer.v, trained);
  let step = optimizer.step;
  let disposed = false;

  const call = async <T>(compute: () => Promise<T> | T): Promise<T> => {
    // The computation itself blocks; timers and signals get their turn before it.
    await new Promise((resolve) => setImmediate(resolve));
    if (disposed) throw new Error('the network has been disposed');
    return compute();
  };
  const images = (volumes: readonly Float32Array[]): tf.Tensor5D =>
    tf.tidy(() => {
      const stacked = volumes.map((image) =>
        tf.tensor4d(image, [architecture.inputChannels, depth, height, width]),
      );
      return tf.transpose(tf.stack(stacked), [0, 2, 3, 4, 1]) as tf.Tensor5D;
    });
  const target = (batch: readonly Sample[]): tf.Tensor5D => {
    const voxels = depth * height * width;
    const data = new Float32Array(batch.length * voxels * architecture.labels);
    for (const [n, { label }] of batch.entries())
      for (let i = 0; i < voxels; i++)
        for (let k = 0; k < architecture.labels; k++)
          data[(n * voxels + i) * architecture.labels + k] =
            ((targets[label[i] as number] as number) >>> k) & 1;
    return tf.tensor5d(data, [batch.length, depth, height, width, architecture.labels]);
  };
  const replace = (map: Map<string, tf.Tensor>, name: string, tensor: tf.Tensor): void => {
    map.get(name)?.dispose();
    map.set(name, tf.keep(tensor));
  };

  /** Loss, gradients and what the layers saw, in training mode; to be called within tf.tidy. */
  const differentiate = (
    batch: readonly Sample[],
    masks: Float32Array,
  ): BackwardResult & { loss: number; traces: readonly LayerTrace[] } => {
    const { logits, traces } = forward(architecture, values, images(batch.map((sample) => sample.image)), {
      statistics: 'batch',
      masks: tf.tensor2d(masks, [batch.length, totalChannels(architecture)]),
    });
    const { loss, gradient } = diceLoss(logits, target(batch));
    return {
      ...backward(architecture, values, traces, gradient),
      loss: loss.dataSync()[0] as number,
      traces,
    };
  };
  const probabilities = (volumes: readonly Float32Array[], statistics: 'running' | 'batch'): tf.Tensor5D =>
    tf.sigmoid(forward(architecture, values, images(volumes), { statistics }).logits);

  return {
    trainStep: (batch, masks, learningRate) =>
      call(() =>
        tidied(() => {
          const { loss, gradients, traces } = differentiate(batch, masks);
          if (Number.isFinite(loss)) {
            moveStatistics(traces, batch.length * depth * height * width);
            adam(gradients, learningRate);
          }
          return loss;
        }),
      ),
    evaluate: (batch) =>
      call(() =>
        tidied(() => {
          const p = probabilities(
            batch.map(({ image }) => image),
            'running',
          );
          const [mask, wanted] = [tf.greater(p, 0.5).dataSync(), target(batch).dataSync()];
          return batch.map((_, n) => overlapOf(mask, wanted, n, depth * height * width, architecture.labels));
        }),
      ),
    predict: (volumes, statistics) =>
      call(() =>
        tidied(() =>
          Float32Array.from(tf.transpose(probabilities(volumes, statistics), [0, 4, 1, 2, 3]).dataSync()),
        ),
      ),
    activationSums: (batch, masks, withGradients) =>
      call(() =>
        tidied(() => {
          const { traces, activations } = differentiate(batch, masks);
          const collect = (of: (activation: tf.Tensor, i: number) => tf.Tensor): Float64Array =>
            Float64Array.from(
              tf
                .concat(
                  traces.map(({ activation }, i) => tf.sum(of(activation, i), [1, 2, 3])),
                  1,
                )
                .dataSync(),
            );
          return {
            channels: totalChannels(architecture),
            sum: collect((activation) => activation),
            sumOfSquares: collect((activation) => tf.square(activation)),
            ...(withGradients && {
              gradientProduct: collect((activation, i) => tf.mul(activation, activations[i] as tf.Tensor)),
            }),
          };
        }),
      ),
    gradients: (batch, masks) =>
      call(() =>
        tidied(() => {
          const { loss, gradients } = differentiate(batch, masks);
          return { loss, gradients: download(gradients, trained) };
        }),
      ),
    synflowGradients: () =>
      call(() =>
        tidied(() => {
          const image: tf.Tensor5D = tf.ones([1, depth, height, width, architecture.inputChannels]);
          const { logits, traces } = forward(architecture, values, image, { statistics: 'none' });
          const { gradients } = backward(architecture, values, traces, tf.onesLike(logits), true);
          for (const name of trained)
            if (!gradients.has(name)) gradients.set(name, tf.zerosLike(values.get(name) as tf.Tensor));
          return download(gradients, trained);
        }),
      ),
    readWeights: () => call(() => download(values, names)),
    readOptimizerState: () => call(() => ({ step, m: download(m, trained), v: download(v, trained) })),
    interrupt: () => undefined, // a call blocks the thread, so none is running when this is reached
    dispose: () => {
      if (disposed) return;
      disposed = true;
      for (const map of [values, m, v]) tf.dispose([...map.values()]);
    },
  };

  /** Running statistics towards those of the batch, with the unbiased variance, as PyTorch has it. */
  function moveStatistics(traces: readonly LayerTrace[], voxels: number): void {
    for (const { layer, mean, variance } of traces) {
      const count = voxels / 8 ** layer.level;
      const move = (name: string, towards: tf.Tensor): void => {
        const old = values.get(name) as tf.Tensor;
        replace(values, name, tf.add(tf.mul(old, 1 - MOMENTUM), tf.mul(towards, MOMENTUM)));
      };
      move(`${layer.name}.norm.running_mean`, mean);
      move(`${layer.name}.norm.running_var`, tf.mul(variance, count > 1 ? count / (count - 1) : 1));
    }
  }

  function adam(gradients: ReadonlyMap<string, tf.Tensor>, learningRate: number): void {
    const { beta1, beta2, epsilon } = settings.adam;
    step++;
    const rate = learningRate / (1 - beta1 ** step);
    const correction = 1 / Math.sqrt(1 - beta2 ** step);
    for (const [name, gradient] of gradients) {
      const first = tf.add(tf.mul(m.get(name) as tf.Tensor, beta1), tf.mul(gradient, 1 - beta1));
      const second = tf.add(tf.mul(v.get(name) as tf.Tensor, beta2), tf.mul(tf.square(gradient), 1 - beta2));
      const change = tf.div(tf.mul(first, rate), tf.add(tf.mul(tf.sqrt(second), correction), epsilon));
      const next = tf.sub(values.get(name) as tf.Tensor, change);
      replace(m, name, first);
      replace(v, name, second);
      replace(values, name, next);
    }
  }
}

function toTensorFlow({ shape, data }: Tensor): tf.Tensor {
  return tf.tidy(() => {
    const tensor = tf.tensor(data, [...shape]);
    return tf.keep(shape.length === 5 ? tf.transpose(tensor, TO_TENSORFLOW) : tf.clone(tensor));
  });
}

/** Copies the tensors of these names out, in PyTorch's axis orders. */
function download(tensors: ReadonlyMap<string, tf.Tensor>, names: readonly string[]): Weights {
  const copy = (tensor: tf.Tensor): Tensor =>
    tidied(() => {
      const turned = tensor.rank === 5 ? tf.transpose(tensor, FROM_TENSORFLOW) : tensor;
      return { shape: turned.shape, data: Float32Array.from(turned.dataSync()) };
    });
  return new Map(names.map((name) => [name, copy(tensors.get(name) as tf.Tensor)]));
}

/** tf.tidy for functions that return no tensors. */
function tidied<T>(compute: () => T): T {
  let result: T | undefined;
  tf.tidy(() => {
    result = compute();
  });
  return result as T;
}

function overlapOf(
  mask: ArrayLike<number>,
  target: ArrayLike<number>,
  caseIndex: number,
  voxels: number,
  labels: number,
): Overlap {
  const sums = {
    intersection: new Float64Array(labels),
    predicted: new Float64Array(labels),
    target: new Float64Array(labels),
  };
  for (let i = caseIndex * voxels; i < (caseIndex + 1) * voxels; i++)
    for (let k = 0; k < labels; k++) {
      const [p, t] = [mask[i * labels + k] as number, target[i * labels + k] as number];
      sums.intersection[k] = (sums.intersection[k] as number) + p * t;
      sums.predicted[k] = (sums.predicted[k] as number) + p;
      sums.target[k] = (sums.target[k] as number) + t;
    }
  return sums;
}

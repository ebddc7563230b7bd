// The TensorFlow.js engine on any of its backends: steps, evaluation and scoring with the passes of forward.ts and
// backward.ts. A step does not wait for the device: it reads the loss after it has sent all operations.

import * as tf from '@tensorflow/tfjs-core';
import { totalChannels } from '../../network/architecture.js';
import { listTensors } from '../../network/parameters.js';
import { initialOptimizerState, type OptimizerState, type Weights, tensorOf } from '../../network/weights.js';
import {
  type Engine,
  type EngineDescription,
  type Network,
  type NetworkSettings,
  type Overlap,
  type PassMode,
  type Sample,
} from '../engine.js';
import { freeMemory } from '../../memory.js';
import { type OpenedTensorFlow } from '../tensorflow/open.js';
import { type BackendName, useBackend } from './backend.js';
import { type BackwardResult, backward, diceLoss } from './backward.js';
import { type ForwardMode, type LayerTrace, forward, magnitudeOf } from './forward.js';
import { type SampleStore, createSampleStore, download, imageTensor } from './layouts.js';
import { type Operations, composed } from './operations.js';
import { tfjsEstimator, tooLarge } from './memory.js';
import { type Staged, createParameters } from './parameters.js';

/** Limit for samples that are kept on the device. */
const STORE_BYTES = 2 ** 30;

/** Creates the engine on a backend of TensorFlow.js. `opened` is needed for the backend `tensorflow`. */
export async function createTfjsEngine(
  backend: BackendName,
  opened?: OpenedTensorFlow,
  threads = 1,
): Promise<Engine> {
  await useBackend(backend, opened);
  const operations = opened ? (await import('../tensorflow/fused.js')).fused : composed;
  const devices: Record<BackendName, string> = {
    cpu: 'JavaScript',
    tensorflow: `TensorFlow ${opened?.version} on ${opened?.device}`,
    webgpu: 'WebGPU',
  };
  const description: EngineDescription = { name: backend, device: devices[backend], threads };
  const store = createSampleStore(STORE_BYTES);
  return {
    description,
    ...tfjsEstimator,
    release: () => store.clear(),
    ...(opened && { meter: opened.meter }),
    load: async (settings, weights, optimizer) => {
      await useBackend(backend, opened);
      const needed = tfjsEstimator.estimateMemory(settings);
      // The free memory of a GPU is unknown; the step handles running out of it.
      if (opened?.device !== 'gpu' && backend !== 'webgpu' && needed > freeMemory())
        throw tooLarge(settings, freeMemory());
      return loadNetwork(
        backend,
        operations,
        store,
        settings,
        weights,
        optimizer ?? initialOptimizerState(settings.architecture),
      );
    },
  };
}

function loadNetwork(
  backend: BackendName,
  operations: Operations,
  store: SampleStore,
  settings: NetworkSettings,
  weights: Weights,
  optimizer: OptimizerState,
): Network {
  const { architecture, size } = settings;
  const [depth, height, width] = size;
  const channels = totalChannels(architecture);
  const trained = listTensors(architecture)
    .filter(({ role }) => role !== 'statistic')
    .map(({ name }) => name);
  const parameters = createParameters(settings, weights, optimizer);
  let disposed = false;

  /** Downloads gradients in the order of the tensors of the network, and frees them. */
  const inOrder = async (gradients: ReadonlyMap<string, tf.Tensor>): Promise<Weights> => {
    const found = await download(gradients);
    return new Map(trained.map((name) => [name, tensorOf(found, name)]));
  };
  const call = async <T>(compute: () => Promise<T> | T): Promise<T> => {
    // The computation itself may block, so let timers and signals run first.
    await new Promise((resolve) => setImmediate(resolve));
    if (disposed) throw new Error('the network has been disposed');
    await useBackend(backend);
    try {
      return await compute();
    } catch (error) {
      if (/OOM|out of memory|RESOURCE_EXHAUSTED|failed to allocate/i.test((error as Error).message))
        throw tooLarge(settings, undefined);
      throw error;
    }
  };
  /** Loss, gradients and traces of the layers; call it within tf.tidy. */
  const differentiate = (
    batch: readonly Sample[],
    mode: PassMode,
    keep = false,
  ): BackwardResult & { loss: tf.Scalar; traces: readonly LayerTrace[] } => {
    const { image, target } = store.batch(batch, settings);
    const tensors = parameters.tensors();
    const { logits, traces } = forward(
      architecture,
      tensors,
      image,
      forwardMode(mode, batch.length, channels),
      operations,
    );
    const { loss, gradient } = tf.tidy(() => diceLoss(logits, target));
    tf.dispose([logits, target]);
    return { ...backward(architecture, tensors, traces, gradient, operations, { keep }), loss, traces };
  };
  const probabilities = (image: tf.Tensor5D, statistics: 'running' | 'batch'): tf.Tensor5D =>
    tf.sigmoid(forward(architecture, parameters.tensors(), image, { statistics }, operations).logits);

  return {
    trainStep: (batch, masks, learningRate) =>
      call(async () => {
        let staged: Staged | undefined;
        const loss = tf.tidy(() => {
          const { loss: value, gradients, traces } = differentiate(batch, { masks });
          staged = parameters.stage(gradients, traces, learningRate);
          for (const tensor of Object.values(staged)) tf.keep(tensor);
          return value;
        });
        const [value] = (await loss.data()) as unknown as [number];
        loss.dispose();
        if (Number.isFinite(value)) parameters.commit(staged as Staged);
        else tf.dispose(Object.values(staged as Staged));
        return value;
      }),
    evaluate: (batch) =>
      call(async () => {
        const sums = tf.tidy(() => {
          const { image, target } = store.batch(batch, settings);
          const mode: ForwardMode = { statistics: 'running', check: true };
          const { logits, traces } = forward(architecture, parameters.tensors(), image, mode, operations);
          const flat = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [batch.length, -1, architecture.labels]);
          // 1 where p > 0.5.
          const mask = tf.step(tf.sub(flat(tf.sigmoid(logits)), 0.5));
          const wanted = flat(target);
          const overlaps = [tf.mul(mask, wanted), mask, wanted].map((each) =>
            tf.reshape(tf.sum(each, 1), [-1]),
          );
          const magnitudes = traces.map(({ magnitude }) => magnitude as tf.Tensor1D);
          // Not addN: WebGPU limits the number of tensors of one operation, and addN gives zeros beyond the limit.
          const magnitude = tf.sum(tf.stack([...magnitudes, magnitudeOf(logits)]), 0);
          return tf.concat([...overlaps, magnitude]);
        });
        const values = Float64Array.from(await sums.data());
        sums.dispose();
        return batch.map((_, n) => overlapOf(values, n, batch.length, architecture.labels));
      }),
    predict: (volumes, statistics) =>
      call(async () => {
        const result = tf.tidy(() => {
          const image = imageTensor(volumes, [architecture.inputChannels, depth, height, width]);
          return tf.transpose(probabilities(image, statistics), [0, 4, 1, 2, 3]);
        });
        const values = Float32Array.from(await result.data());
        result.dispose();
        return values;
      }),
    activationSums: (batch, mode, withGradients) =>
      call(async () => {
        const result = tf.tidy(() => {
          const { traces, activations } = differentiate(batch, mode, true);
          const collect = (of: (activation: tf.Tensor, i: number) => tf.Tensor): tf.Tensor =>
            tf.concat(
              traces.map(({ activation, layer: { width } }, i) =>
                tf.sum(tf.reshape(of(activation, i), [batch.length, -1, width]), 1),
              ),
              1,
            );
          return [
            collect((activation) => activation),
            collect((activation) => tf.square(activation)),
            ...(withGradients
              ? [collect((activation, i) => tf.mul(activation, activations[i] as tf.Tensor))]
              : []),
          ];
        });
        const [sum, sumOfSquares, gradientProduct] = await Promise.all(
          result.map(async (tensor) => Float64Array.from(await tensor.data())),
        );
        tf.dispose(result);
        return {
          channels,
          sum: sum as Float64Array,
          sumOfSquares: sumOfSquares as Float64Array,
          ...(gradientProduct && { gradientProduct }),
        };
      }),
    gradients: (batch, mode) =>
      call(async () => {
        let found: Map<string, tf.Tensor> | undefined;
        const loss = tf.tidy(() => {
          const { loss: value, gradients } = differentiate(batch, mode);
          found = gradients;
          for (const tensor of gradients.values()) tf.keep(tensor);
          return value;
        });
        const [value] = (await loss.data()) as unknown as [number];
        loss.dispose();
        return { loss: value, gradients: await inOrder(found as Map<string, tf.Tensor>) };
      }),
    synflowGradients: () =>
      call(() => {
        const found = new Map<string, tf.Tensor>();
        tf.tidy(() => {
          const image: tf.Tensor5D = tf.ones([1, depth, height, width, architecture.inputChannels]);
          const tensors = parameters.tensors();
          const { logits, traces } = forward(
            architecture,
            tensors,
            image,
            { statistics: 'none' },
            operations,
          );
          const { gradients } = backward(architecture, tensors, traces, tf.onesLike(logits), operations, {
            linear: true,
          });
          for (const name of trained)
            found.set(name, tf.keep(gradients.get(name) ?? tf.zerosLike(tensors.get(name) as tf.Tensor)));
        });
        return inOrder(found);
      }),
    readWeights: () => call(() => parameters.readWeights()),
    readOptimizerState: () => call(() => parameters.readOptimizerState()),
    interrupt: () => undefined, // a call blocks the thread, so none is running when this is reached
    dispose: () => {
      if (disposed) return;
      disposed = true;
      parameters.dispose();
    },
  };
}

function forwardMode(mode: PassMode, cases: number, channels: number): ForwardMode {
  if (mode === 'evaluation') return { statistics: 'running' };
  // Without dropout all multipliers are 1, so the multiplication is skipped.
  const dropped = mode.masks.some((value) => value !== 1);
  return { statistics: 'batch', ...(dropped && { masks: tf.tensor2d(mode.masks, [cases, channels]) }) };
}

/** The overlap of one case from (3, N, labels) sums; the magnitudes of the cases follow the sums. */
function overlapOf(sums: Float64Array, at: number, cases: number, labels: number): Overlap {
  const finite = Number.isFinite(sums[3 * cases * labels + at]);
  const part = (i: number): Float64Array =>
    finite
      ? sums.slice((i * cases + at) * labels, (i * cases + at + 1) * labels)
      : new Float64Array(labels).fill(NaN);
  return { intersection: part(0), predicted: part(1), target: part(2) };
}

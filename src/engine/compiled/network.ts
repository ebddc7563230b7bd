// A network on compiled C++ code: the addon of the native engine, or WebAssembly.

import { UserError } from '../../errors.js';
import { totalChannels } from '../../network/architecture.js';
import {
  type ActivationSums,
  InterruptedError,
  type Network,
  type NetworkSettings,
  type Overlap,
  type PassMode,
  type Sample,
} from '../engine.js';
import { splitTensors } from './flat.js';

/** The readable lists of tensors: weights, gradients, first and second moments of Adam. */
export type TensorList = 0 | 1 | 2 | 3;

/**
 * The functions of one network in compiled code, on flat arrays. Calls must not overlap. An interrupted call rejects with the
 * message `interrupted`, a call without enough memory with `out of memory`. Without masks a call runs in evaluation mode.
 */
export interface CompiledNetwork {
  /** The loss before the update. */
  trainStep(
    images: Float32Array[],
    labels: Uint8Array[],
    masks: Float32Array,
    learningRate: number,
  ): Promise<number>;
  /** Returns the loss; `read` then returns the gradients. */
  gradients(images: Float32Array[], labels: Uint8Array[], masks: Float32Array | undefined): Promise<number>;
  /** `read` then returns the gradients. */
  synflow(): Promise<unknown>;
  /** (N, labels, 3): intersection, predicted, target. */
  evaluate(images: Float32Array[], labels: Uint8Array[]): Promise<Float64Array>;
  /** Probabilities (N, labels, D, H, W). */
  predict(images: Float32Array[], running: boolean): Promise<Float32Array>;
  /** (3, N, channels): sums of activations, of their squares and of their products with gradients. */
  activationSums(
    images: Float32Array[],
    labels: Uint8Array[],
    masks: Float32Array | undefined,
    withGradients: boolean,
  ): Promise<Float64Array>;
  /** A copy of a flat list of tensors. */
  read(list: TensorList): Promise<Float32Array>;
  readStep(): Promise<number>;
  /** Multiply-adds, then seconds, of the three passes since the last call; the first call starts the measurement. */
  meter(): Float64Array;
  interrupt(): void;
  /** Frees the network; must not be called while it computes. */
  dispose(): void;
}

/** The network of `Engine.load` on compiled code. */
export function networkOn(compiled: CompiledNetwork, { architecture }: NetworkSettings): Network {
  const channels = totalChannels(architecture);
  let disposed = false;
  let running: Promise<unknown> = Promise.resolve();

  // Argument errors may be thrown synchronously; this turns them into rejections.
  const call = <T>(start: () => Promise<T>): Promise<T> => {
    const result = Promise.resolve()
      .then(() => {
        if (disposed) throw new Error('the network has been disposed');
        return start();
      })
      .catch((error: unknown) => {
        if (error instanceof Error && error.message === 'interrupted') throw new InterruptedError();
        if (error instanceof Error && error.message === 'out of memory')
          throw new UserError('engine', 'the machine ran out of memory: choose a smaller training.batch');
        throw error;
      });
    running = result.catch(() => undefined);
    return result;
  };

  return {
    trainStep: (batch, masks, learningRate) =>
      call(() => compiled.trainStep(images(batch), labels(batch), masks, learningRate)),
    evaluate: (batch) =>
      call(async () => {
        const overlaps = await compiled.evaluate(images(batch), labels(batch));
        return batch.map((_, n) => overlapAt(overlaps, n, architecture.labels));
      }),
    predict: (volumes, statistics) => call(() => compiled.predict([...volumes], statistics === 'running')),
    activationSums: (batch, mode, withGradients) =>
      call(async () => {
        const count = batch.length * channels;
        const sums = await compiled.activationSums(
          images(batch),
          labels(batch),
          masksOf(mode),
          withGradients,
        );
        const result: ActivationSums = {
          channels,
          sum: sums.subarray(0, count),
          sumOfSquares: sums.subarray(count, 2 * count),
        };
        return withGradients ? { ...result, gradientProduct: sums.subarray(2 * count) } : result;
      }),
    gradients: (batch, mode) =>
      call(async () => {
        const loss = await compiled.gradients(images(batch), labels(batch), masksOf(mode));
        return { loss, gradients: splitTensors(architecture, await compiled.read(1), false) };
      }),
    synflowGradients: () =>
      call(async () => {
        await compiled.synflow();
        return splitTensors(architecture, await compiled.read(1), false);
      }),
    readWeights: () => call(async () => splitTensors(architecture, await compiled.read(0), true)),
    readOptimizerState: () =>
      call(async () => ({
        step: await compiled.readStep(),
        m: splitTensors(architecture, await compiled.read(2), false),
        v: splitTensors(architecture, await compiled.read(3), false),
      })),
    meter: () => {
      const figures = compiled.meter();
      return (['forward', 'input gradient', 'weight gradient'] as const).map((pass, i) => ({
        pass,
        multiplyAdds: figures[i] as number,
        seconds: figures[3 + i] as number,
      }));
    },
    interrupt: () => {
      if (!disposed) compiled.interrupt();
    },
    dispose: () => {
      if (disposed) return;
      disposed = true;
      // The network must not be freed while it computes.
      void running.then(() => compiled.dispose());
    },
  };
}

const images = (batch: readonly Sample[]): Float32Array[] => batch.map(({ image }) => image);
const labels = (batch: readonly Sample[]): Uint8Array[] => batch.map(({ label }) => label);
const masksOf = (mode: PassMode): Float32Array | undefined =>
  mode === 'evaluation' ? undefined : mode.masks;

function overlapAt(overlaps: Float64Array, caseIndex: number, count: number): Overlap {
  const pick = (offset: number): Float64Array =>
    Float64Array.from({ length: count }, (_, k) => overlaps[3 * (caseIndex * count + k) + offset] as number);
  return { intersection: pick(0), predicted: pick(1), target: pick(2) };
}

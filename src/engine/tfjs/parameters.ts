// The parameters of a network on the device. All trained parameters are in one vector, and so are their moments: Adam then
// needs a dozen operations for the whole network instead of a dozen per tensor. On a GPU the number of operations determines
// the time. After each step the tensors for the passes are cut from the vector.

import type * as tf from '@tensorflow/tfjs-core';
import { core } from './core.js';
import { listLayers } from '../../network/architecture.js';
import { elementCount, listTensors } from '../../network/parameters.js';
import { type OptimizerState, type Weights, tensorOf } from '../../network/weights.js';
import { type NetworkSettings } from '../engine.js';
import { download, tensorFlowShape, toTensorFlow } from './layouts.js';
import { type LayerTrace, type Parameters } from './forward.js';

const MOMENTUM = 0.1;

/** One vector per quantity: trained parameters with their moments, running means and variances of all layers. */
interface Vectors {
  readonly values: tf.Tensor;
  readonly m: tf.Tensor;
  readonly v: tf.Tensor;
  readonly means: tf.Tensor;
  readonly variances: tf.Tensor;
}

/** An update that has been computed but not committed. */
export type Staged = Record<keyof Vectors, tf.Tensor>;

export interface DeviceParameters {
  /** All tensors by name, for the passes. */
  readonly tensors: () => Parameters;
  /** Computes the update of Adam and the running statistics without committing it; call it within core.tidy. */
  readonly stage: (
    gradients: ReadonlyMap<string, tf.Tensor>,
    traces: readonly LayerTrace[],
    learningRate: number,
  ) => Staged;
  /** Commits an update. */
  readonly commit: (staged: Staged) => void;
  readonly readWeights: () => Promise<Weights>;
  readonly readOptimizerState: () => Promise<OptimizerState>;
  readonly dispose: () => void;
}

/** Uploads the tensors of a network and the state of its optimizer. */
export function createParameters(
  { architecture, adam }: NetworkSettings,
  weights: Weights,
  optimizer: OptimizerState,
): DeviceParameters {
  const all = listTensors(architecture);
  const trained = all.filter(({ role }) => role !== 'statistic');
  const names = trained.map(({ name }) => name);
  const statistics = (which: string): string[] =>
    listLayers(architecture).map(({ name }) => `${name}.norm.${which}`);
  const meanNames = statistics('running_mean');
  const varianceNames = statistics('running_var');
  const vector = (source: Weights, list: readonly string[]): tf.Tensor =>
    core.tidy(() =>
      core.concat(list.map((name) => core.reshape(toTensorFlow(tensorOf(source, name)), [-1]))),
    );
  let vectors: Vectors = {
    values: vector(weights, names),
    m: vector(optimizer.m, names),
    v: vector(optimizer.v, names),
    means: vector(weights, meanNames),
    variances: vector(weights, varianceNames),
  };
  let step = optimizer.step;
  let cut: Map<string, tf.Tensor> | undefined;

  const sizes = trained.map(({ shape }) => elementCount(shape));
  const widths = listLayers(architecture).map(({ width }) => width);
  /** The tensors of a vector by name, in TensorFlow shapes; call it within core.tidy. */
  const cutVector = (source: tf.Tensor): [string, tf.Tensor][] =>
    core
      .split(source, sizes)
      .map((part, i) => [
        names[i] as string,
        core.reshape(part, tensorFlowShape((trained[i] as { shape: readonly number[] }).shape)),
      ]);
  const cutStatistics = (source: tf.Tensor, list: readonly string[]): [string, tf.Tensor][] =>
    core.split(source, widths).map((part, i) => [list[i] as string, part]);
  const tensors = (): Map<string, tf.Tensor> => {
    cut ??= keepAll(() => [
      ...cutVector(vectors.values),
      ...cutStatistics(vectors.means, meanNames),
      ...cutStatistics(vectors.variances, varianceNames),
    ]);
    return cut;
  };
  const forget = (): void => {
    if (cut) core.dispose([...cut.values()]);
    cut = undefined;
  };
  return {
    tensors,
    stage(gradients, traces, learningRate) {
      const { beta1, beta2, epsilon } = adam;
      const g = core.concat(names.map((name) => core.reshape(gradients.get(name) as tf.Tensor, [-1])));
      const m = core.add(core.mul(vectors.m, beta1), core.mul(g, 1 - beta1));
      const v = core.add(core.mul(vectors.v, beta2), core.mul(core.square(g), 1 - beta2));
      const rate = learningRate / (1 - beta1 ** (step + 1));
      const correction = 1 / Math.sqrt(1 - beta2 ** (step + 1));
      const change = core.div(core.mul(m, rate), core.add(core.mul(core.sqrt(v), correction), epsilon));
      const towards = (old: tf.Tensor, batch: readonly tf.Tensor[]): tf.Tensor =>
        core.add(core.mul(old, 1 - MOMENTUM), core.mul(core.concat([...batch]), MOMENTUM));
      const seen = traces.flatMap(({ normalised }) => normalised ?? []);
      return {
        values: core.sub(vectors.values, change),
        m,
        v,
        means: towards(
          vectors.means,
          seen.map(({ mean }) => mean),
        ),
        variances: towards(
          vectors.variances,
          seen.map(({ variance }) => variance),
        ),
      };
    },
    commit(staged) {
      core.dispose(Object.values(vectors));
      vectors = staged;
      step++;
      forget();
    },
    readWeights: async () => {
      const found = await download(
        keepAll(() => [...tensors()].map(([name, tensor]) => [name, core.clone(tensor)])),
      );
      return new Map(all.map(({ name }) => [name, tensorOf(found, name)]));
    },
    readOptimizerState: async () => ({
      step,
      m: await download(keepAll(() => cutVector(vectors.m))),
      v: await download(keepAll(() => cutVector(vectors.v))),
    }),
    dispose: () => {
      forget();
      core.dispose(Object.values(vectors));
    },
  };
}

/** Computes named tensors in core.tidy and keeps them. */
function keepAll(compute: () => readonly [string, tf.Tensor][]): Map<string, tf.Tensor> {
  const kept = new Map<string, tf.Tensor>();
  core.tidy(() => {
    for (const [name, tensor] of compute()) kept.set(name, core.keep(tensor));
  });
  return kept;
}

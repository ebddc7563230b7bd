// The one interface between everything above (training, pruning, benchmarks) and what computes a network.

import { type Architecture } from '../network/architecture.js';
import { type OptimizerState, type Weights } from '../network/weights.js';

/** Voxels along D, H, W; W is a NIfTI file's first (fastest) axis. */
export type VolumeSize = readonly [depth: number, height: number, width: number];

/** One preprocessed case as an engine reads it. Engines never write to it. */
export interface Sample {
  /** Normalised intensities, (C, D, H, W). */
  readonly image: Float32Array;
  /** Index of the label value at each voxel, (D, H, W); 0 is background. */
  readonly label: Uint8Array;
}

/**
 * What the outputs mean: bit k of `targets[index]` says whether label index `index` (a voxel of `Sample.label`)
 * belongs to output k. So merged and overlapping regions need no further masks. 256 entries, at most 32 outputs.
 */
export type LabelTargets = Uint32Array;

/** Fixed settings of a network for its lifetime on an engine. */
export interface NetworkSettings {
  readonly architecture: Architecture;
  readonly size: VolumeSize;
  /** Largest batch that any call will bring; memory is planned for it. */
  readonly maxBatch: number;
  readonly targets: LabelTargets;
  readonly adam: { readonly beta1: number; readonly beta2: number; readonly epsilon: number };
}

/**
 * Sums over one case, per output k, from which Dice is computed. All NaN if the case overflowed: if somewhere on its way through
 * the network, or before the sigmoid, a value was infinite or NaN. A saturated sigmoid is no overflow.
 */
export interface Overlap {
  /** Voxels predicted (p > 0.5) and true. */
  readonly intersection: Float64Array;
  readonly predicted: Float64Array;
  readonly target: Float64Array;
}

/**
 * Sums over space of each layer's post-ReLU activation a, per case and channel, (N, totalChannels) with the
 * channels of all layers side by side in the order of `listLayers`.
 */
export interface ActivationSums {
  readonly channels: number;
  /** Sum of a (a is never negative, so this is its L1 norm). */
  readonly sum: Float64Array;
  /** Sum of a squared. */
  readonly sumOfSquares: Float64Array;
  /** Sum of a * dLoss/da; only when gradients were asked for. */
  readonly gradientProduct?: Float64Array;
}

/**
 * How a pass for scoring treats batch norm and dropout: `evaluation` takes the running statistics and drops nothing; with
 * masks, it is as in a training step: the batch's statistics, and dropout.
 */
export type PassMode = 'evaluation' | { readonly masks: Float32Array };

/**
 * A network loaded into an engine. Calls must not overlap: await one before the next. The JavaScript thread stays
 * free meanwhile. Masks are the multipliers of channel dropout, (N, totalChannels): 0, or 1/(1 - rate).
 */
export interface Network {
  /**
   * One training step: forward in training mode (batch statistics, running ones updated), soft Dice loss over
   * batch and space, backward, Adam. Resolves to the loss before the update.
   */
  trainStep(batch: readonly Sample[], masks: Float32Array, learningRate: number): Promise<number>;
  /** Overlap of each case at p > 0.5, no dropout, with running batch-norm statistics. */
  evaluate(batch: readonly Sample[]): Promise<Overlap[]>;
  /** Probabilities (N, labels, D, H, W), no dropout, with running or with the batch's own statistics. */
  predict(images: readonly Float32Array[], statistics: 'running' | 'batch'): Promise<Float32Array>;
  /** One pass that changes neither weights nor statistics, for scoring channels. */
  activationSums(batch: readonly Sample[], mode: PassMode, withGradients: boolean): Promise<ActivationSums>;
  /** Loss and the gradient of every trained tensor; changes nothing. */
  gradients(batch: readonly Sample[], mode: PassMode): Promise<{ loss: number; gradients: Weights }>;
  /**
   * Gradient of SynFlow's data-free objective (Tanaka et al. 2020): every parameter by its absolute value, an image
   * of ones, batch norm and ReLU and dropout left out, the sum of all outputs before the sigmoid. Changes nothing.
   */
  synflowGradients(): Promise<Weights>;
  /** A copy of all tensors. */
  readWeights(): Promise<Weights>;
  /** A copy of the optimizer's state. */
  readOptimizerState(): Promise<OptimizerState>;
  /** What the convolutions took since the last call, on engines that measure it. The first call starts the measuring. */
  meter?(): ConvolutionPass[];
  /** Makes the running call, if any, reject with an InterruptedError soon; the network is as before that call. */
  interrupt(): void;
  /** Frees what the engine holds; further calls reject. Safe to call twice. */
  dispose(): void;
}

/** One of the three passes of all 3x3x3 convolutions of a network. */
export interface ConvolutionPass {
  readonly pass: 'forward' | 'input gradient' | 'weight gradient';
  /** Those carried out: fewer than the architecture has where an algorithm saves some; those on padding do not count. */
  readonly multiplyAdds: number;
  /** Sum over all threads, without packing and storing. */
  readonly seconds: number;
}

/** A call was stopped by `Network.interrupt`. */
export class InterruptedError extends Error {
  constructor() {
    super('interrupted');
    this.name = 'InterruptedError';
  }
}

/** What an engine runs on, for a run's record and for `lunet doctor`. */
export interface EngineDescription {
  readonly name: string;
  /** Instruction set or device, such as `avx512` or `cpu (JavaScript)`. Results are equal to the bit only on the same one. */
  readonly device: string;
  readonly threads: number;
}

/** Computes networks. */
export interface Engine {
  readonly description: EngineDescription;
  /**
   * Loads a network. Weights are copied. `optimizer` undefined starts a new Adam state.
   * Throws a UserError of kind `engine` if the memory that the plan needs is not there, saying what would fit.
   */
  load(settings: NetworkSettings, weights: Weights, optimizer?: OptimizerState): Promise<Network>;
  /** Frees what the engine keeps for later networks, if anything. It can be used afterwards. */
  release?(): void;
  /** Operations since the last call and peak bytes of tensors, on engines that send operations to a library. */
  meter?(): { readonly operations: number; readonly peakBytes: number };
  /** Bytes that `load` plus a training step will take at most, without the samples themselves. */
  estimateMemory(settings: NetworkSettings): number;
}

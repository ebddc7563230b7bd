// The interface between engines, which compute networks, and their users: training, pruning, benchmarks.

import { type Architecture } from '../network/architecture.js';
import { type OptimizerState, type Weights } from '../network/weights.js';

/** Voxels along D, H, W; W is the first (fastest) axis of a NIfTI file. */
export type VolumeSize = readonly [depth: number, height: number, width: number];

/** One preprocessed case for an engine. Engines never write to it. */
export interface Sample {
  /** Normalised intensities, (C, D, H, W). */
  readonly image: Float32Array;
  /** Index of the label value at each voxel, (D, H, W); 0 is background. */
  readonly label: Uint8Array;
}

/**
 * The meaning of the outputs: bit k of `targets[index]` is set if label index `index` (a voxel of `Sample.label`)
 * belongs to output k. This allows merged and overlapping regions without further masks. 256 entries, at most 32 outputs.
 */
export type LabelTargets = Uint32Array;

/** The loss of a training step: see `Network.trainStep`. */
export interface LossSettings {
  /** Adds the mean binary cross-entropy over voxels and outputs to the soft Dice loss. */
  readonly entropy: boolean;
  /** Whether the sums of Dice are over all cases of a batch; else Dice is the mean over the cases. */
  readonly batchDice: boolean;
}

export const DEFAULT_LOSS: LossSettings = { entropy: false, batchDice: true };

/** Settings of a network, fixed during its lifetime on an engine. */
export interface NetworkSettings {
  readonly architecture: Architecture;
  readonly size: VolumeSize;
  /** Largest batch of any call; memory is planned for it. */
  readonly maxBatch: number;
  readonly targets: LabelTargets;
  /** Default: `DEFAULT_LOSS`. */
  readonly loss?: LossSettings;
  /** The label index of voxels that count neither for the loss nor for overlaps; it must belong to no output. */
  readonly ignored?: number | undefined;
  readonly adam: { readonly beta1: number; readonly beta2: number; readonly epsilon: number };
}

/**
 * Sums over one case, per output k, from which Dice is computed. All NaN if the case overflowed: if any value in the network
 * up to the input of the sigmoid was infinite or NaN. A saturated sigmoid is not an overflow.
 */
export interface Overlap {
  /** Voxels predicted (p > 0.5) and true. */
  readonly intersection: Float64Array;
  readonly predicted: Float64Array;
  readonly target: Float64Array;
}

/**
 * Sums over space of the post-ReLU activations a of all layers, per case and channel: (N, totalChannels), with the
 * channels of all layers side by side in the order of `listLayers`.
 */
export interface ActivationSums {
  readonly channels: number;
  /** Sum of a (a is never negative, so this is its L1 norm). */
  readonly sum: Float64Array;
  /** Sum of a squared. */
  readonly sumOfSquares: Float64Array;
  /** Sum of a * dLoss/da; only if gradients were requested. */
  readonly gradientProduct?: Float64Array;
}

/**
 * The mode of batch norm and dropout in a scoring pass. `evaluation`: running statistics, no dropout. With masks, as in a
 * training step: statistics of the batch, and dropout.
 */
export type PassMode = 'evaluation' | { readonly masks: Float32Array };

/**
 * A network loaded into an engine. Calls must not overlap: await one before the next. The JavaScript thread stays
 * free meanwhile. Masks are the multipliers of channel dropout, (N, totalChannels): 0, or 1/(1 - rate).
 */
export interface Network {
  /**
   * One training step: forward in training mode (batch statistics, running ones updated), loss, backward, Adam. Resolves to
   * the loss before the update: 1 - mean of 2 sum(p t) / (sum p + sum t + 1e-7) over labels, with sums over batch and space
   * (or over space, then the mean is also over cases), and if wanted the mean of -t log p - (1 - t) log(1 - p).
   */
  trainStep(batch: readonly Sample[], masks: Float32Array, learningRate: number): Promise<number>;
  /** Overlap of each case at p > 0.5, no dropout, with running batch-norm statistics. */
  evaluate(batch: readonly Sample[]): Promise<Overlap[]>;
  /** Probabilities (N, labels, D, H, W), without dropout, with running statistics or those of the batch. */
  predict(images: readonly Float32Array[], statistics: 'running' | 'batch'): Promise<Float32Array>;
  /** One pass that changes neither weights nor statistics, for scoring channels. */
  activationSums(batch: readonly Sample[], mode: PassMode, withGradients: boolean): Promise<ActivationSums>;
  /** Loss and the gradient of every trained tensor; changes nothing. */
  gradients(batch: readonly Sample[], mode: PassMode): Promise<{ loss: number; gradients: Weights }>;
  /**
   * Gradient of the data-free objective of SynFlow (Tanaka et al. 2020): the sum of all outputs before the sigmoid for an
   * image of ones, with absolute values of all parameters and without batch norm, ReLU and dropout. Changes nothing.
   */
  synflowGradients(): Promise<Weights>;
  /** A copy of all tensors. */
  readWeights(): Promise<Weights>;
  /** A copy of the optimizer state. */
  readOptimizerState(): Promise<OptimizerState>;
  /** Times of the convolutions since the last call, on engines that measure them. The first call starts the measurement. */
  meter?(): ConvolutionPass[];
  /** Makes the running call, if any, reject soon with an InterruptedError; the network is then as before that call. */
  interrupt(): void;
  /** Frees the memory of the network; further calls reject. Safe to call twice. */
  dispose(): void;
}

/** One of the three passes of all 3x3x3 convolutions of a network. */
export interface ConvolutionPass {
  readonly pass: 'forward' | 'input gradient' | 'weight gradient';
  /** Executed multiply-adds: an algorithm may need fewer than the architecture has. Without those on padding. */
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

/** The engine and its device, for the record of a run and for `lunet doctor`. */
export interface EngineDescription {
  readonly name: string;
  /** Instruction set or device, such as `avx512` or `simd128`. Results are bit-identical only on the same one. */
  readonly device: string;
  readonly threads: number;
  /** The compiler of a compiled engine, if known. Results are bit-identical only with the same one. */
  readonly build?: string | undefined;
}

/** Computes networks. */
export interface Engine {
  readonly description: EngineDescription;
  /**
   * Loads a network. Weights are copied. Without `optimizer`, Adam starts from zero.
   * Throws a UserError of kind `engine` if there is too little memory; it states what would fit.
   */
  load(settings: NetworkSettings, weights: Weights, optimizer?: OptimizerState): Promise<Network>;
  /** Frees memory that the engine keeps for later networks. The engine can still be used. */
  release?(): void;
  /** Operations since the last call, and peak bytes of tensors, on engines that send operations to a library. */
  meter?(): { readonly operations: number; readonly peakBytes: number };
  /** An upper limit of the bytes for `load` and a training step, without the samples. */
  estimateMemory(settings: NetworkSettings): number;
}

// The types of the functions that node/addon.cpp exports. Only index.ts and augment.ts in this folder call them.

/** A handle of a network in the addon. */
export type Handle = object & { readonly __network: never };

export interface Addon {
  create(
    shape: Int32Array,
    weights: Float32Array,
    targets: Uint32Array,
    loss: Int32Array,
    adam: Float32Array,
    m: Float32Array | undefined,
    v: Float32Array | undefined,
    step: number,
    isa: string,
    threads: number,
  ): Handle;
  trainStep(
    network: Handle,
    images: Float32Array[],
    labels: Uint8Array[],
    masks: Float32Array,
    learningRate: number,
  ): Promise<number>;
  gradients(
    network: Handle,
    images: Float32Array[],
    labels: Uint8Array[],
    masks: Float32Array | undefined,
  ): Promise<number>;
  synflow(network: Handle): Promise<number>;
  evaluate(
    network: Handle,
    images: Float32Array[],
    labels: Uint8Array[],
    overlaps: Float64Array,
  ): Promise<number>;
  predict(
    network: Handle,
    images: Float32Array[],
    running: boolean,
    probabilities: Float32Array,
  ): Promise<number>;
  activationSums(
    network: Handle,
    images: Float32Array[],
    labels: Uint8Array[],
    masks: Float32Array | undefined,
    withGradients: boolean,
    sums: Float64Array,
  ): Promise<number>;
  augment(
    isa: string,
    geometry: Float64Array,
    steps: Float64Array,
    image: Float32Array,
    label: Uint8Array,
    outImage: Float32Array,
    outLabel: Uint8Array,
  ): Promise<number>;
  read(network: Handle, which: 0 | 1 | 2 | 3): Float32Array;
  readStep(network: Handle): number;
  meter(network: Handle): Float64Array;
  interrupt(network: Handle): void;
  dispose(network: Handle): void;
  estimateMemory(shape: Int32Array, threads: number): number;
  instructionSets(): string[];
  peak(isa: string, threads: number): number;
  benchKernels(isa: string): string;
}

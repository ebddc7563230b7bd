// The architecture of a U-Net as plain data, and what follows from it: its layers and the sources of their input channels.
// Does not use engines and contains no weights.

/**
 * A 3D U-Net. Plain JSON, so that configs, checkpoints and the metadata of weights files can contain it.
 * A layer is a 3x3x3 convolution with ReLU, batch norm and channel dropout.
 */
export interface Architecture {
  /** Channels of the input image. */
  readonly inputChannels: number;
  /** Foreground labels: one sigmoid output each. */
  readonly labels: number;
  /** Whether a decoder block also reads the encoder block of its level: its input is then concat(up, skip), in that order. */
  readonly skips: boolean;
  /** Width of every layer, `encoder[level][layer]`; level 0 is full resolution, the last one the bottleneck. */
  readonly encoder: readonly (readonly number[])[];
  /** Width of every layer, `decoder[level][layer]`; one level fewer than the encoder. */
  readonly decoder: readonly (readonly number[])[];
  /** Output channels of the up-convolution to a level, `up[level]`. */
  readonly up: readonly number[];
}

/** Added to the variance in every batch norm; the default of PyTorch. */
export const NORM_EPSILON = 1e-5;

/** The place of a convolution block: one level on one side. */
export interface BlockPlace {
  readonly side: 'encoder' | 'decoder';
  readonly level: number;
}

/** One 3x3x3 convolution, with everything needed to build it. */
export interface Layer extends BlockPlace {
  /** `encoder.{level}.{layer}` or `decoder.{level}.{layer}`. */
  readonly name: string;
  /** Position within its block. */
  readonly layer: number;
  readonly inputs: number;
  /** Output channels. */
  readonly width: number;
  /** True for every layer except the last of `decoder.0`, which the head reads. */
  readonly prunable: boolean;
}

/** The shape that a model entry of a config describes. */
export interface ModelShape {
  /** `unet` doubles its width per level, `lunet` keeps it. */
  readonly family: 'unet' | 'lunet';
  /** Width of the top level before scaling. */
  readonly n: number;
  readonly levels: number;
  /** Layers per block. */
  readonly convs: number;
  /** Linear scale of all block widths, in (0, 1]; rounded, at least 1. */
  readonly scale: number;
  readonly skips: boolean;
}

/** The architecture of a family (Lean Unet, section 3): Unet width n*2^level, LUnet width n everywhere. */
export function buildArchitecture(shape: ModelShape, inputChannels: number, labels: number): Architecture {
  const width = (level: number): number =>
    Math.max(1, Math.round(shape.n * (shape.family === 'unet' ? 2 ** level : 1) * shape.scale));
  const block = (level: number): number[] => Array.from({ length: shape.convs }, () => width(level));
  const levels = Array.from({ length: shape.levels }, (_, level) => level);
  return {
    inputChannels,
    labels,
    skips: shape.skips,
    encoder: levels.map(block),
    decoder: levels.slice(0, -1).map(block),
    up: levels.slice(0, -1).map(width),
  };
}

/** Blocks in the order of data flow: encoder.0 ... bottleneck ... decoder.0. */
export function listBlocks(architecture: Architecture): BlockPlace[] {
  const encoder = architecture.encoder.map((_, level): BlockPlace => ({ side: 'encoder', level }));
  const decoder = architecture.decoder.map((_, level): BlockPlace => ({ side: 'decoder', level }));
  return [...encoder, ...decoder.reverse()];
}

/** Widths of the layers of a block. */
export function blockWidths(architecture: Architecture, place: BlockPlace): readonly number[] {
  const widths = architecture[place.side][place.level];
  if (widths === undefined) throw new RangeError(`no block ${place.side}.${place.level}`);
  return widths;
}

/** Output channels of a block: the width of its last layer. */
export function blockOutput(architecture: Architecture, place: BlockPlace): number {
  return blockWidths(architecture, place).at(-1) as number;
}

/** Input channels of the first layer of a block. */
function blockInput(architecture: Architecture, { side, level }: BlockPlace): number {
  if (side === 'encoder') {
    return level === 0
      ? architecture.inputChannels
      : blockOutput(architecture, { side: 'encoder', level: level - 1 });
  }
  const up = architecture.up[level] as number;
  return architecture.skips ? up + blockOutput(architecture, { side: 'encoder', level }) : up;
}

/** The block whose output the up-convolution to a level reads: the next deeper decoder, or the bottleneck. */
export function upSource(architecture: Architecture, level: number): BlockPlace {
  const deeper = level + 1;
  return { side: deeper === architecture.encoder.length - 1 ? 'encoder' : 'decoder', level: deeper };
}

/** All 3x3x3 layers in the order of data flow. */
export function listLayers(architecture: Architecture): Layer[] {
  return listBlocks(architecture).flatMap((place) => {
    const widths = blockWidths(architecture, place);
    return widths.map((width, layer): Layer => ({
      ...place,
      name: `${place.side}.${place.level}.${layer}`,
      layer,
      inputs: layer === 0 ? blockInput(architecture, place) : (widths[layer - 1] as number),
      width,
      prunable: !(isLastBlock(architecture, place) && layer === widths.length - 1),
    }));
  });
}

/** Whether the head reads the output of this block: decoder.0, or the only encoder block of a one-level network. */
function isLastBlock(architecture: Architecture, { side, level }: BlockPlace): boolean {
  return level === 0 && (side === 'decoder' || architecture.encoder.length === 1);
}

/** Channels of all layers: the length of a dropout mask and of per-channel statistics. */
export function totalChannels(architecture: Architecture): number {
  return listLayers(architecture).reduce((sum, layer) => sum + layer.width, 0);
}

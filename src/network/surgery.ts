// Removes channels from a network: plain weights in, plain weights out. Does not use engines.

import { type Architecture, type Layer, listLayers } from './architecture.js';
import { elementCount } from './parameters.js';
import { type Tensor, type Weights } from './weights.js';

/** One removed channel: the name of its layer and its index at the time of removal. */
export interface Removal {
  readonly layer: string;
  readonly channel: number;
}

/** A slice to remove from a tensor: one index of one axis. */
interface Cut {
  readonly tensor: string;
  readonly axis: number;
  readonly index: number;
}

/**
 * The network without one channel of a layer. Removes the filter, bias and batch norm of the channel, and the matching
 * input of every consumer: the next layer, the pooled path, the skip half of a concat (after the channels of the
 * up-convolution), the up-convolution. `weights` may lack tensors (optimizer state has no statistics). Throws a RangeError
 * if the layer is not prunable or would lose its last channel.
 */
export function removeChannel(
  architecture: Architecture,
  weights: Weights,
  removal: Removal,
): { architecture: Architecture; weights: Weights } {
  const layer = findPrunable(architecture, removal);
  const cuts = new Map(cutsOf(architecture, layer, removal.channel).map((cut) => [cut.tensor, cut]));
  return {
    architecture: narrower(architecture, layer),
    weights: new Map(
      [...weights].map(([name, tensor]) => {
        const cut = cuts.get(name);
        return [name, cut ? without(tensor, cut.axis, cut.index) : tensor];
      }),
    ),
  };
}

/** The same for the architecture alone. Throws as `removeChannel` does. */
export function removeChannelFromArchitecture(architecture: Architecture, removal: Removal): Architecture {
  return narrower(architecture, findPrunable(architecture, removal));
}

/** The number of channels of all prunable layers. */
export function prunableChannels(architecture: Architecture): number {
  return listLayers(architecture).reduce((sum, { prunable, width }) => sum + (prunable ? width : 0), 0);
}

/** The number of removals until every prunable layer has one channel. */
export function possibleRemovals(architecture: Architecture): number {
  return listLayers(architecture).reduce((sum, { prunable, width }) => sum + (prunable ? width - 1 : 0), 0);
}

function findPrunable(architecture: Architecture, { layer: name, channel }: Removal): Layer {
  const layer = listLayers(architecture).find((candidate) => candidate.name === name);
  if (layer === undefined) throw new RangeError(`there is no layer ${name}`);
  if (!layer.prunable) throw new RangeError(`${name} feeds the head and is not pruned`);
  if (layer.width === 1) throw new RangeError(`${name} has one channel left, which stays`);
  if (!(Number.isInteger(channel) && channel >= 0 && channel < layer.width))
    throw new RangeError(`${name} has channels 0 to ${layer.width - 1}, found ${channel}`);
  return layer;
}

function cutsOf(architecture: Architecture, layer: Layer, channel: number): Cut[] {
  const { name, side, level } = layer;
  const own = [
    'conv.weight',
    'conv.bias',
    'norm.weight',
    'norm.bias',
    'norm.running_mean',
    'norm.running_var',
  ];
  const cuts: Cut[] = own.map((part) => ({ tensor: `${name}.${part}`, axis: 0, index: channel }));
  const input = (reader: string, index: number): void => {
    cuts.push({ tensor: `${reader}.conv.weight`, axis: 1, index });
  };
  const lastOfBlock = layer.layer === (architecture[side][level] as readonly number[]).length - 1;
  if (!lastOfBlock) input(`${side}.${level}.${layer.layer + 1}`, channel);
  else if (side === 'encoder' && level < architecture.encoder.length - 1) {
    input(`encoder.${level + 1}.0`, channel);
    if (architecture.skips) input(`decoder.${level}.0`, (architecture.up[level] as number) + channel);
  } else cuts.push({ tensor: `up.${level - 1}.weight`, axis: 0, index: channel });
  return cuts;
}

function narrower(architecture: Architecture, { side, level, layer }: Layer): Architecture {
  const blocks = architecture[side].map((widths, l) =>
    widths.map((width, i) => (l === level && i === layer ? width - 1 : width)),
  );
  return { ...architecture, [side]: blocks };
}

/** A tensor without one index of an axis. */
function without({ shape, data }: Tensor, axis: number, index: number): Tensor {
  const size = shape[axis] as number;
  const inner = elementCount(shape.slice(axis + 1));
  const outer = elementCount(shape.slice(0, axis));
  const result = new Float32Array(outer * (size - 1) * inner);
  for (let o = 0; o < outer; o++) {
    const from = o * size * inner;
    const to = o * (size - 1) * inner;
    result.set(data.subarray(from, from + index * inner), to);
    result.set(data.subarray(from + (index + 1) * inner, from + size * inner), to + index * inner);
  }
  return { shape: shape.map((n, i) => (i === axis ? n - 1 : n)), data: result };
}

// The cost of a forward pass, computed from the architecture. Not its time, which `lunet bench` measures.

import { type Architecture, blockOutput, listLayers, upSource } from './architecture.js';

/** One convolution and its cost for one case. */
export interface Operation {
  /** `encoder.0.0`, `up.0`, `decoder.0.1` or `head`, as in the names of its tensors. */
  readonly name: string;
  readonly kind: 'conv' | 'up' | 'head';
  /** Resolution of its output. */
  readonly level: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Trained parameters, including those of the batch norm after a `conv`. */
  readonly parameters: number;
  /** Multiply-adds of the convolution, including those with padding zeros, without biases and batch norm. */
  readonly multiplyAdds: number;
  /** Numbers in its output. */
  readonly activations: number;
}

/** Every convolution in the order of data flow, for cases with this number of voxels. */
export function listOperations(architecture: Architecture, voxels: number): Operation[] {
  const layers = listLayers(architecture);
  const convolutions = layers.flatMap(({ name, side, level, layer, inputs, width }): Operation[] => {
    const here = voxels / 8 ** level;
    const conv: Operation = {
      name,
      kind: 'conv',
      level,
      inputs,
      outputs: width,
      parameters: 27 * inputs * width + 3 * width,
      multiplyAdds: here * 27 * inputs * width,
      activations: here * width,
    };
    return side === 'decoder' && layer === 0 ? [upConvolution(architecture, level, here), conv] : [conv];
  });
  const inputs = (layers.at(-1) as { width: number }).width;
  const outputs = architecture.labels;
  const head: Operation = {
    name: 'head',
    kind: 'head',
    level: 0,
    inputs,
    outputs,
    parameters: inputs * outputs + outputs,
    multiplyAdds: voxels * inputs * outputs,
    activations: voxels * outputs,
  };
  return [...convolutions, head];
}

/** With a 2x2x2 kernel and stride 2, one weight per input channel reaches each output voxel. */
function upConvolution(architecture: Architecture, level: number, voxels: number): Operation {
  const inputs = blockOutput(architecture, upSource(architecture, level));
  const outputs = architecture.up[level] as number;
  return {
    name: `up.${level}`,
    kind: 'up',
    level,
    inputs,
    outputs,
    parameters: 8 * inputs * outputs + outputs,
    multiplyAdds: voxels * inputs * outputs,
    activations: voxels * outputs,
  };
}

/** Multiply-adds of one forward pass over one case. */
export function countMultiplyAdds(architecture: Architecture, voxels: number): number {
  return listOperations(architecture, voxels).reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
}

/** Bytes of the activations that a training step stores for one case: all except the output of the head. */
export function activationBytes(architecture: Architecture, voxels: number): number {
  return listOperations(architecture, voxels)
    .filter(({ kind }) => kind !== 'head')
    .reduce((sum, { activations }) => sum + 4 * activations, 0);
}

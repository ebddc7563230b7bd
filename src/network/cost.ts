// What a forward pass costs, from the architecture alone.

import { type Architecture, blockOutput, listLayers, upSource } from './architecture.js';

/** Multiply-adds of one forward pass over one case, per layer, up-convolution and head. */
export function listMultiplyAdds(
  architecture: Architecture,
  voxels: number,
): { name: string; multiplyAdds: number }[] {
  const costs: { name: string; multiplyAdds: number }[] = [];
  const layers = listLayers(architecture);
  for (const { name, side, level, layer, inputs, width } of layers) {
    const here = voxels / 8 ** level;
    if (side === 'decoder' && layer === 0) {
      const from = blockOutput(architecture, upSource(architecture, level));
      costs.push({ name: `up.${level}`, multiplyAdds: here * from * (architecture.up[level] as number) });
    }
    costs.push({ name, multiplyAdds: here * 27 * inputs * width });
  }
  const last = layers.at(-1) as { width: number };
  costs.push({ name: 'head', multiplyAdds: voxels * last.width * architecture.labels });
  return costs;
}

/** Multiply-adds of one forward pass over one case. */
export function countMultiplyAdds(architecture: Architecture, voxels: number): number {
  return listMultiplyAdds(architecture, voxels).reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
}

/** Bytes of the activations that a training step stores for one case. */
export function activationBytes(architecture: Architecture, voxels: number): number {
  const layers = listLayers(architecture).reduce(
    (sum, { level, width }) => sum + (width * voxels) / 8 ** level,
    0,
  );
  const ups = architecture.up.reduce((sum, width, level) => sum + (width * voxels) / 8 ** level, 0);
  return 4 * (layers + ups);
}

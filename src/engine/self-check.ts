// Trains a tiny network for a few steps and checks loss and gradient: enough to see that an engine computes correctly.

import { buildArchitecture, totalChannels } from '../network/architecture.js';
import { initialWeights } from '../network/weights.js';
import { stream } from '../random.js';
import { type Engine } from './engine.js';

/** The problem of the engine, or undefined. */
export async function selfCheck(engine: Engine): Promise<string | undefined> {
  const architecture = buildArchitecture(
    { family: 'lunet', n: 3, levels: 2, convs: 1, scale: 1, skips: true },
    1,
    1,
  );
  const random = stream(1, 'self-check');
  const label = Uint8Array.from({ length: 512 }, (_, i) => Number(i % 8 < 4));
  const image = Float32Array.from(label, (inside) => inside + 0.3 * random.normal());
  const targets = new Uint32Array(256);
  targets[1] = 1;
  const weights = initialWeights(architecture, random);
  const network = await engine.load(
    {
      architecture,
      size: [8, 8, 8],
      maxBatch: 1,
      targets,
      adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    },
    weights,
  );
  try {
    const masks = new Float32Array(totalChannels(architecture)).fill(1);
    const { loss, gradients } = await network.gradients([{ image, label }], { masks });
    const norm = Math.hypot(...[...gradients.values()].map(({ data }) => Math.hypot(...data)));
    if (!(loss > 0 && loss < 1 && norm > 0 && Number.isFinite(norm)))
      return `found loss ${loss} and gradient norm ${norm}, expected positive numbers and a loss below 1`;
    let last = loss;
    for (let step = 0; step < 10; step++) last = await network.trainStep([{ image, label }], masks, 0.01);
    return last < loss - 0.01
      ? undefined
      : `the loss went from ${loss} to ${last} in ten steps, expected it to fall`;
  } finally {
    network.dispose();
  }
}

// A model as lunet's own file.

import { MODEL_KEY, type Model } from '../model/model.js';
import { encodeSafetensors } from '../runs/safetensors.js';

/** The bytes of a model file, also for a model that an earlier version left without a description. */
export function modelFile({ weights, ...description }: Model): Uint8Array {
  return encodeSafetensors({ tensors: weights, metadata: { [MODEL_KEY]: JSON.stringify(description) } });
}

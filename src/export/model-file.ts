// A model as lunet's own file.

import { MODEL_KEY, type Model } from '../model/model.js';
import { encodeSafetensors } from '../runs/safetensors.js';

/** The bytes of a model file. Also works for models of earlier versions, whose files have no description. */
export function modelFile({ weights, ...description }: Model): Uint8Array {
  return encodeSafetensors({ tensors: weights, metadata: { [MODEL_KEY]: JSON.stringify(description) } });
}

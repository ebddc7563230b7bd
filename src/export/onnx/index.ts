// A model as one ONNX file for any ONNX Runtime, with its description in the metadata of the file.

import { type Model, type ModelDescription, MODEL_KEY } from '../../model/model.js';
import { packageVersion } from '../../version.js';
import { summariseModel } from '../describe.js';
import { type ExportFormat } from '../format.js';
import { encodeGraph } from './graph.js';
import { type Precision, networkGraph } from './network.js';

/**
 * The bytes of the ONNX file of a model. The key `model` of its metadata has the whole description as JSON, as in the model file.
 * Throws a UserError of kind `data` if a weight is too large for half precision.
 */
export function onnxFile({ weights, ...description }: Model, precision: Precision): Uint8Array {
  return encodeGraph(networkGraph(description.architecture, weights, precision), {
    name: description.name,
    description: summariseModel(description),
    producer: 'lunet',
    producerVersion: packageVersion(),
    metadata: { [MODEL_KEY]: JSON.stringify(description satisfies ModelDescription) },
  });
}

export const onnx: ExportFormat = {
  name: 'onnx',
  target: 'file',
  description: 'one file for ONNX Runtime (operator set 17): volumes of any size in, probabilities out',
  files: (model, path, { half }) => [{ path, content: onnxFile(model, half ? 'float16' : 'float32') }],
};

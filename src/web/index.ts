// `lunet/web`: models and scans in a browser, or anywhere else with JavaScript and WebAssembly. Functions take and return bytes and
// typed arrays, and fetch nothing. Segmentation blocks, so a page runs it in a worker. src/library is the same
// for Node.js.

import { labelParts } from '../data/nifti/derived.js';
import { type Volume, decodeNifti } from '../data/nifti/decode.js';
import { type Room } from '../data/room.js';
import { createWasmEngine } from '../engine/wasm/index.js';
import { UserError } from '../errors.js';
import { CheckError } from '../model/check.js';
import { type Model, modelOf } from '../model/model.js';
import { decodeSafetensors } from '../model/safetensors.js';
import { type OpenModel, openedModel } from '../inference/opened-model.js';
import { loadEnsemble } from '../inference/segment.js';
import { deflate, inflater } from './inflate.js';

export { type GivenVolume, createVolume } from '../data/nifti/create.js';
export { measureMasks as measure } from '../evaluation/masks.js';
export { type Measures } from '../evaluation/measure.js';
export { type ModelDescription } from '../model/model.js';
export { type Finding, type Result, type SegmentCall } from '../inference/opened-model.js';
export { type OpenModel, UserError, type Volume };

/** A browser does not say how much memory is free, so only its refusal limits an allocation. */
const ROOM: Room = () => undefined;

/**
 * Decodes the bytes of a NIfTI file (.nii, .nii.gz, or .hdr with the bytes of its .img). `name` is for messages. Throws a
 * UserError of kind `data` that says what is wrong with it.
 */
export function readNifti(bytes: Uint8Array, name: string, image?: Uint8Array): Promise<Volume> {
  return decodeNifti(bytes, {
    file: name,
    inflater,
    room: ROOM,
    scaled: 'float32',
    image: () =>
      image
        ? Promise.resolve({ file: name, bytes: image })
        : Promise.reject(
            new UserError('data', `${name}: is the header of a pair, expected its .img file beside it`),
          ),
  });
}

/**
 * The bytes of a NIfTI file of label values, (z, y, x), with the grid and the position in space of `like`; compressed if its name
 * ends in .gz. Throws a UserError of kind `data` if the number of values is not the number of voxels of `like`.
 */
export async function writeNifti(
  labels: Uint8Array | Uint16Array,
  like: Omit<Volume, 'voxels'>,
  name: string,
): Promise<Uint8Array> {
  const parts = labelParts(labels, like);
  if (/\.gz$/i.test(name)) return deflate(parts);
  return new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

/**
 * Opens a model from the bytes of its file (model.safetensors) and of the engine (`lunet/lunet.wasm`). Throws a UserError of kind
 * `data` for any other file and for a model of another version.
 */
export async function openModel(bytes: Uint8Array, engine: Uint8Array): Promise<OpenModel> {
  const model = parseModel(bytes);
  return openedModel(await loadEnsemble(await createWasmEngine(engine), [model]));
}

function parseModel(bytes: Uint8Array): Model {
  try {
    const { tensors, metadata } = decodeSafetensors(bytes);
    return modelOf(tensors, metadata);
  } catch (error) {
    if (error instanceof CheckError)
      throw new UserError('data', `the model: ${error.message}`, { cause: error });
    throw error;
  }
}

// `lunet/web`: models and scans in a browser, or anywhere else with JavaScript and WebAssembly. Functions take and return bytes and
// typed arrays, and fetch nothing. Segmentation blocks, so a page runs it in a worker.

import { determinantOf } from '../data/nifti/affine.js';
import { derivedHeader, storedBytes } from '../data/nifti/derived.js';
import { type Volume, decodeNifti } from '../data/nifti/decode.js';
import { type Room } from '../data/room.js';
import { requireTogether } from '../data/together.js';
import { createWasmEngine } from '../engine/wasm/index.js';
import { UserError } from '../errors.js';
import { CheckError } from '../model/check.js';
import { type Model, type ModelDescription, modelOf } from '../model/model.js';
import { decodeSafetensors } from '../model/safetensors.js';
import { paintedValue } from '../inference/labels.js';
import { resultWarnings, scanOf } from '../inference/scan.js';
import { loadEnsemble } from '../inference/segment.js';
import { type Extent } from '../data/preprocess.js';
import { boxSize, cropMask, indexBoxes, unionBox } from '../evaluation/grid.js';
import { type Measures, countOverlap, measure as measurePair } from '../evaluation/measure.js';
import { deflate, inflater } from './inflate.js';

export { UserError, type Measures, type ModelDescription, type Volume };

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
 * ends in .gz.
 */
export async function writeNifti(
  labels: Uint8Array | Uint16Array,
  like: Omit<Volume, 'voxels'>,
  name: string,
): Promise<Uint8Array> {
  const type = labels instanceof Uint16Array ? 'uint16' : 'uint8';
  const parts = [derivedHeader(like, like.head, { type }), storedBytes(labels, like)];
  if (/\.gz$/i.test(name)) return deflate(parts);
  return new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

/** One output of a model in a scan. */
export interface Finding {
  readonly name: string;
  /** The values of this output in the label map. */
  readonly values: readonly number[];
  readonly voxels: number;
  /** Volume in ml. */
  readonly volume: number;
}

/** The segmentation of a scan. */
export interface Result {
  /** Label values, (z, y, x), on the grid of the scan. */
  readonly labels: Uint8Array | Uint16Array;
  readonly findings: readonly Finding[];
  /** How the scan differs from the training scans, and other warnings. */
  readonly warnings: readonly string[];
}

/** A model that is ready to segment. */
export interface OpenModel {
  readonly description: ModelDescription;
  /**
   * Segments a scan: one volume with all channels, or a volume per channel in the order of the model. The call changes the voxels
   * of the volumes. Throws a UserError of kind `data` for volumes that do not fit the model or each other. One call at a time.
   */
  readonly segment: (
    volumes: readonly Volume[],
    options?: {
      readonly names?: readonly string[];
      readonly progress?: (done: number, total: number) => void;
    },
  ) => Promise<Result>;
  /** Frees the memory of the engine. */
  readonly dispose: () => void;
}

/**
 * Opens a model from the bytes of its file (model.safetensors) and of the engine (`lunet/lunet.wasm`). Throws a UserError of kind
 * `data` for any other file and for a model of another version.
 */
export async function openModel(bytes: Uint8Array, engine: Uint8Array): Promise<OpenModel> {
  const model = parseModel(bytes);
  const ensemble = await loadEnsemble(await createWasmEngine(engine), [model]);
  const { description } = ensemble;
  return {
    description,
    dispose: ensemble.dispose,
    async segment(volumes, { names = volumes.map((_, i) => `volume ${i + 1}`), progress } = {}) {
      const warnings = requireTogether(volumes, names, volumes.length, {
        nonFinite: 'zero',
        affineMismatch: 'error',
      });
      const scan = scanOf(volumes, names[0] as string, description);
      const found = await ensemble.segment(scan, { progress });
      const labels = found.labels as Uint8Array | Uint16Array;
      return {
        labels,
        findings: findingsOf(labels, description, Math.abs(determinantOf((volumes[0] as Volume).affine))),
        warnings: [...new Set(warnings), ...resultWarnings(description, scan, found)],
      };
    },
  };
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

/** The voxels of each output in a label map. A region also has the voxels of outputs painted over it. */
function findingsOf(
  labels: Uint8Array | Uint16Array,
  { outputs }: ModelDescription,
  voxelVolume: number,
): Finding[] {
  const counts = new Map<number, number>(outputs.map((output) => [paintedValue(output), 0]));
  for (const value of labels) if (value > 0) counts.set(value, (counts.get(value) ?? 0) + 1);
  return outputs.map(({ name, values }) => {
    const voxels = values.reduce((sum, value) => sum + (counts.get(value) ?? 0), 0);
    return { name, values, voxels, volume: (voxels * voxelVolume) / 1000 };
  });
}

/**
 * How well two masks (0, 1; (z, y, x)) on the same grid agree: Dice, IoU, HD95 and ASSD in mm, NSD at a tolerance in mm.
 * docs/evaluate.md has the definitions. `size` is in voxels along x, y, z, `spacing` in mm. If both masks are empty, all are NaN.
 */
export function measure(
  reference: Uint8Array,
  prediction: Uint8Array,
  { size, spacing, tolerance = 1 }: { size: Extent; spacing: Extent; tolerance?: number },
): Measures {
  const box = unionBox([reference, prediction].map((mask) => indexBoxes(mask, size, 1)[1])) ?? {
    from: [0, 0, 0],
    to: [0, 0, 0],
  };
  const cropped = (mask: Uint8Array): Uint8Array => cropMask(mask, size, box, Uint8Array.of(0, 1));
  const pair = {
    reference: cropped(reference),
    prediction: cropped(prediction),
    size: boxSize(box),
    spacing,
  };
  return measurePair(pair, countOverlap(pair, reference.length), tolerance);
}

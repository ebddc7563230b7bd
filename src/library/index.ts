// `lunet` as a library for Node.js: opens models, reads, segments and writes scans, measures masks. src/web is the same for browsers.

import { dirname } from 'node:path';
import { type Volume } from '../data/nifti/decode.js';
import { readNifti as readFile } from '../data/nifti/read.js';
import { createEngine } from '../engine/index.js';
import { UserError } from '../errors.js';
import { encodeLabels } from '../predict/files.js';
import { findModel, inferenceOf, requireAgreement } from '../predict/models.js';
import { type OpenModel, openedModel } from '../inference/opened-model.js';
import { loadEnsemble } from '../inference/segment.js';
import { commitFile, makeFolder } from '../runs/commit.js';

export { type GivenVolume, createVolume } from '../data/nifti/create.js';
export { measureMasks as measure } from '../evaluation/masks.js';
export { type Measures } from '../evaluation/measure.js';
export { type ModelDescription } from '../model/model.js';
export { type Finding, type Result, type SegmentCall } from '../inference/opened-model.js';
export { type OpenModel, UserError, type Volume };

export interface OpenOptions {
  /** `auto` (the default), `native`, `wasm`, `tensorflow` or `webgpu`, as for `lunet predict --engine`. */
  readonly engine?: string;
  /** Threads of the native engine; default: as many as there are processors. */
  readonly threads?: number;
  /** The fraction of a window that neighbouring windows share, 0 to 0.9; default: the value in the model, usually 0.5. */
  readonly overlap?: number;
  /** Averages over mirrored scans, along the axes that were mirrored in training; default: as in the model, usually off. */
  readonly mirror?: boolean;
  /** Called with warnings, such as that a slower engine is used; default: `process.emitWarning`. */
  readonly warn?: (message: string) => void;
}

/**
 * Opens a model: a model file, the folder of a run, or the name of a shipped model. Several are an ensemble, whose probabilities
 * are averaged. The engine is the native one, which is built at first use if the package has none for the machine; if it cannot be
 * built, it is WebAssembly. Throws a UserError: of kind `usage` if there is no such model or they do not agree, `data` for a damaged
 * one, `engine` if an engine that was asked for does not load.
 */
export async function openModel(
  model: string | readonly string[],
  { engine: name = 'auto', threads, overlap, mirror, warn = warnProcess }: OpenOptions = {},
): Promise<OpenModel> {
  const models = (typeof model === 'string' ? [model] : model).map(findModel);
  if (models.length === 0) throw new UserError('usage', 'found no model, expected at least one');
  requireAgreement(models);
  const engine = await createEngine(name, { threads, warn });
  return openedModel(
    await loadEnsemble(
      engine,
      models.map((opened) => opened.model),
      inferenceOf(models, { overlap, mirror }),
    ),
  );
}

const warnProcess = (message: string): void => process.emitWarning(message, 'LunetWarning');

/**
 * Reads a .nii, .nii.gz, or .hdr file with its .img beside it. Throws a UserError of kind `data` that says what is wrong with it.
 */
export const readNifti = (file: string): Promise<Volume> => readFile(file, undefined, 'float32');

/**
 * Writes label values, (z, y, x), as a NIfTI file (.nii or .nii.gz) with the grid and the position in space of `like`. The write
 * is atomic and replaces a file of the same name. Throws a UserError of kind `disk`.
 */
export async function writeNifti(
  file: string,
  labels: Uint8Array | Uint16Array,
  like: Omit<Volume, 'voxels'>,
): Promise<void> {
  const bytes = await encodeLabels(file, labels, like);
  makeFolder(dirname(file), ELSEWHERE);
  commitFile(file, bytes, { elsewhere: ELSEWHERE });
}

const ELSEWHERE = 'choose another place';

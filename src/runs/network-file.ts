// Reads a saved network: its weights and, from the metadata of the file, its architecture and everything else that is needed
// to run it. src/training/outputs.ts writes these files.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { type Check, CheckError, list, text } from '../model/check.js';
import { MODEL_KEY, type Model, checkArchitecture, modelOf, requireTensors } from '../model/model.js';
import { type Architecture } from '../network/architecture.js';
import { type Weights } from '../network/weights.js';
import { describeModel } from './describe-model.js';
import { runKey } from './identity.js';
import { type RunRecord } from './run.js';
import { type DigestedFile, type TensorFile, readWithDigest } from './safetensors.js';
import { FILES } from './folders.js';

/** A network as it was saved. */
export interface SavedNetwork {
  readonly architecture: Architecture;
  /** Names of the outputs. */
  readonly labels: readonly string[];
  readonly weights: Weights;
  /** Absent in files without a description: the first weights of a run, files of earlier versions. */
  readonly model?: Model;
}

/** The network saved in a safetensors file. Throws a UserError of kind `data` if it is damaged or contains no network. */
export function readNetwork(path: string): SavedNetwork {
  return networkIn(path, readWithDigest(path));
}

function networkIn(path: string, { tensors, metadata }: TensorFile): SavedNetwork {
  try {
    if (metadata[MODEL_KEY] === undefined) return { ...networkOf(metadata, tensors), weights: tensors };
    const model = modelOf(tensors, metadata);
    const { architecture, outputs } = model;
    return { architecture, labels: outputs.map(({ name }) => name), weights: tensors, model };
  } catch (error) {
    if (!(error instanceof CheckError)) throw error;
    throw new UserError(
      'data',
      `${path}: ${error.message}${/expected/.test(error.message) ? '' : ', expected a network saved by lunet'}`,
    );
  }
}

/** Architecture and labels of a network that is saved without a description. Throws a CheckError. */
function networkOf(
  metadata: Readonly<Record<string, string>>,
  tensors: Weights,
): Pick<SavedNetwork, 'architecture' | 'labels'> {
  const parse = <T>(key: string, check: Check<T>): T => {
    const text = metadata[key];
    if (text === undefined) throw new CheckError(`found no ${key} in its metadata`);
    try {
      return check(JSON.parse(text), key);
    } catch {
      throw new CheckError(`found an impossible ${key} in its metadata`);
    }
  };
  const architecture = parse('architecture', checkArchitecture);
  const labels = parse('labels', list(text));
  if (labels.length !== architecture.labels)
    throw new CheckError(`found ${labels.length} labels for ${architecture.labels} outputs`);
  requireTensors(architecture, tensors);
  return { architecture, labels };
}

/** A model and its source. */
export interface OpenedModel {
  readonly model: Model;
  readonly path: string;
  /** SHA-256 of the file. */
  readonly digest: string;
}

/** The model in a safetensors file. Throws a UserError of kind `data` if it is damaged or contains no model. */
export function readModel(path: string): OpenedModel {
  return modelIn(path, readWithDigest(path));
}

function modelIn(path: string, file: DigestedFile): OpenedModel {
  const { model } = networkIn(path, file);
  if (model === undefined)
    throw new UserError(
      'data',
      `${path}: found a network without preprocessing and label values, expected a ${FILES.model}; ` +
        `give the folder of the run instead, whose ${FILES.record} has them`,
    );
  return { model, path, digest: file.digest };
}

/**
 * The final model of a run. For runs of earlier versions the description comes from their record. Throws a UserError of kind
 * `data` if there is no model, or if another run wrote it.
 */
export function readRunModel(folder: string, record: RunRecord): OpenedModel {
  const path = join(folder, FILES.model);
  const earlier = join(folder, FILES.earlierModel);
  if (!existsSync(path) && existsSync(earlier)) {
    const { metadata, tensors, digest } = readFileOf(record, folder, earlier);
    const { architecture } = networkOf(metadata, tensors);
    const model = { ...describeModel(record, architecture), weights: tensors };
    return { model, path: earlier, digest };
  }
  if (record.status !== 'finished')
    throw new UserError(
      'data',
      `${folder}: the run is ${record.status === 'diverged' ? 'diverged' : 'not finished'}, so it has no model; ` +
        'finish it with: lunet train, prune or retrain',
    );
  const file = readFileOf(record, folder, path);
  if (file.digest !== record.files?.[FILES.model])
    throw new UserError(
      'data',
      `${path}: is not the file that this run wrote; repeat the run with --overwrite`,
    );
  return modelIn(path, file);
}

/** Weights that a run saved; they are read on demand. */
export interface SavedWeights {
  readonly path: string;
  /** SHA-256 of the file. */
  readonly digest: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly weights: () => Weights;
}

/**
 * Weights from a file in the folder of a run. Throws a UserError of kind `data` if the file is damaged or absent, or belongs
 * to another run.
 */
export function readWeightsOf(record: RunRecord, folder: string, name: string): SavedWeights {
  const path = join(folder, name);
  const { metadata, digest } = readFileOf(record, folder, path);
  const weights = (): Weights => {
    const { tensors, digest: now } = readWithDigest(path);
    if (now !== digest)
      throw new UserError('data', `${path}: has changed during the command; start the command again`);
    return tensors;
  };
  return { path, digest, metadata, weights };
}

/** Reads a file in the folder of a run. Throws a UserError of kind `data` if another run wrote it. */
function readFileOf(record: RunRecord, folder: string, path: string): DigestedFile {
  const file = readWithDigest(path);
  if (file.metadata['run'] !== runKey(record))
    throw new UserError(
      'data',
      `${path}: belongs to another run than ${folder}, expected the file that this run wrote; ` +
        'repeat the run with --overwrite',
    );
  return file;
}

// A trained network as a file that anyone can run: its weights, and everything needed to segment a scan with them. Only types
// and parsing, without Node.js, so that a browser reads models with the same code.

import { type Inference } from '../config/inference.js';
import { type FittedConstants, type FittedNormalisation, type PerChannel } from '../data/normalise.js';
import { type Extent } from '../data/preprocess.js';
import { type ResamplingKeys } from '../data/resample.js';
import { type Architecture } from '../network/architecture.js';
import { listTensors } from '../network/parameters.js';
import { type Weights } from '../network/weights.js';
import {
  type Check,
  CheckError,
  list,
  number,
  object,
  oneOf,
  optional,
  positive,
  text,
  triple,
  truth,
  whole,
} from './check.js';

/** The version of the description that this version of lunet writes and reads. */
export const MODEL_FORMAT = 1;

/** The key of a safetensors file's metadata that holds the description as JSON. */
export const MODEL_KEY = 'model';

/** One output of a network: the label value that it finds, or several that were merged into one region. */
export interface Output {
  readonly name: string;
  readonly values: readonly number[];
}

/** The smallest and largest value over the training cases. */
export interface Range<T> {
  readonly min: T;
  readonly max: T;
}

/** Properties of the training cases before preprocessing, along the axes that `orientation` gives. */
export interface TrainingRanges {
  /** Number of training cases. */
  readonly cases: number;
  /** Voxels along x, y, z. */
  readonly size: Range<Extent>;
  /** mm between voxels along x, y, z. */
  readonly spacing: Range<Extent>;
  /** By channel: stored intensities. */
  readonly intensity: readonly Range<number>[];
  /** Where the axes of the files pointed, such as `RAS`. */
  readonly orientations: readonly string[];
}

/** Orientation before all other steps: RAS turns the axes to the closest of right, anterior, superior; keep leaves them. */
export type Orientation = 'RAS' | 'keep';

/** The preprocessing of a volume. */
export interface ModelPreprocessing extends ResamplingKeys {
  /** The window that a network sees, voxels along x, y, z. */
  readonly size: Extent;
  /** For all channels or for each one. Includes all constants that were fitted on training data. */
  readonly normalisation: PerChannel<FittedNormalisation>;
  readonly orientation: Orientation;
}

export type Axis = 'x' | 'y' | 'z';

/** Everything about a model except its weights; plain JSON. */
export interface ModelDescription {
  readonly format: typeof MODEL_FORMAT;
  /** Such as `hippocampus/lunet-n4/seed-1`. */
  readonly name: string;
  readonly architecture: Architecture;
  /** In the order of the network outputs. */
  readonly outputs: readonly Output[];
  /** Names of the input channels, in order. */
  readonly channels: readonly string[];
  readonly preprocessing: ModelPreprocessing;
  /** Axes along which volumes were mirrored in training. */
  readonly mirror: readonly Axis[];
  /** How its run was evaluated; `lunet predict` does the same unless told otherwise. Models of earlier versions lack it. */
  readonly inference?: Inference | undefined;
  /** Absent if the run did not record it. */
  readonly training?: TrainingRanges | undefined;
  readonly run: {
    /** Identifies the run, see `runKey`. */
    readonly key: string;
    readonly experiment: string;
    readonly method: string;
    readonly seed: number;
    /** SHA-256 of the data that the network saw. */
    readonly data: string;
  };
  /** Licence of the training data, if the config names one. */
  readonly licence?: string | undefined;
}

/** A model that can be run. */
export interface Model extends ModelDescription {
  readonly weights: Weights;
}

const width = whole(1, 65_536);
const blocks = list(list(width, 1, 100), 0, 100);

const architecture: Check<Architecture> = (value, key) => {
  const found = object<Architecture>({
    inputChannels: width,
    labels: whole(1, 32),
    skips: truth,
    encoder: blocks,
    decoder: blocks,
    up: list(width, 0, 100),
  })(value, key);
  const { encoder, decoder, up } = found;
  if (encoder.length < 1 || decoder.length !== encoder.length - 1 || up.length !== encoder.length - 1)
    throw new CheckError(
      `${key}: found ${encoder.length} encoder, ${decoder.length} decoder and ${up.length} up levels, ` +
        'expected one encoder level more than decoder and up levels',
    );
  return found;
};

const range = <T>(check: Check<T>): Check<Range<T>> => object<Range<T>>({ min: check, max: check });
/** The part of a window that neighbours share. */
const part: Check<number> = (value, key) => {
  const found = number(value, key);
  if (found < 0 || found >= 1)
    throw new CheckError(`${key}: found ${found}, expected a number from 0 to below 1`);
  return found;
};
const pair: Check<[number, number]> = (value, key) => list(number, 2, 2)(value, key) as [number, number];

const constants = object<FittedConstants>({ clip: pair, mean: number, deviation: positive });

const channelNormalisation: Check<FittedNormalisation> = (value, key) => {
  if (typeof value !== 'object') return oneOf('z-score', 'z-score-nonzero', 'none')(value, key);
  const found = object<{ window: [number, number] | undefined; percentile: [number, number] | undefined }>({
    window: optional(pair),
    percentile: optional(pair),
  })(value, key);
  if (found.window) return { window: found.window };
  if (found.percentile) return { percentile: found.percentile };
  if (Object.hasOwn(value as object, 'clip')) return constants(value, key);
  throw new CheckError(`${key}: found neither window, percentile nor clip, expected one`);
};

const normalisation: Check<PerChannel<FittedNormalisation>> = (value, key) =>
  (Array.isArray(value) ? list(channelNormalisation, 1) : channelNormalisation)(value, key);

const description: Check<ModelDescription> = object<ModelDescription>({
  format: (value) => value as typeof MODEL_FORMAT,
  name: text,
  architecture,
  outputs: list(object<Output>({ name: text, values: list(whole(1, 65_535), 1) }), 1, 32),
  channels: list(text, 1),
  preprocessing: object<ModelPreprocessing>({
    size: triple(whole(1, 2048)),
    spacing: optional(triple(positive)),
    antialias: optional(truth),
    anisotropic: optional(truth),
    normalisation,
    orientation: oneOf('RAS', 'keep'),
  }),
  mirror: list(oneOf('x', 'y', 'z')),
  inference: optional(object<Inference>({ overlap: part, mirror: list(oneOf('x', 'y', 'z')) })),
  training: optional(
    object<TrainingRanges>({
      cases: whole(1, 2 ** 31),
      size: range(triple(whole(1, 2 ** 31))),
      spacing: range(triple(positive)),
      intensity: list(range(number)),
      orientations: list(text),
    }),
  ),
  run: object<ModelDescription['run']>({
    key: text,
    experiment: text,
    method: text,
    seed: whole(0, Number.MAX_SAFE_INTEGER),
    data: text,
  }),
  licence: optional(text),
});

/** Checks an architecture in plain JSON. Throws a CheckError. */
export function checkArchitecture(value: unknown): Architecture {
  return architecture(value, 'architecture');
}

/** The description in the metadata of a file. Throws a CheckError if it has another version or is impossible. */
export function parseDescription(json: string): ModelDescription {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new CheckError(`${MODEL_KEY}: found no JSON`);
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (format !== MODEL_FORMAT)
    throw new CheckError(
      `format: found a model of version ${JSON.stringify(format) ?? 'none'}, expected ${MODEL_FORMAT}: ` +
        'it was written by another version of lunet',
    );
  const found = description(value, '');
  const { architecture: network, outputs, channels, preprocessing } = found;
  if (outputs.length !== network.labels)
    throw new CheckError(`outputs: found ${outputs.length} for an architecture with ${network.labels}`);
  if (channels.length !== network.inputChannels)
    throw new CheckError(
      `channels: found ${channels.length} for an architecture with ${network.inputChannels}`,
    );
  const { normalisation: each } = preprocessing;
  if (Array.isArray(each) && each.length !== channels.length)
    throw new CheckError(`preprocessing.normalisation: found ${each.length} for ${channels.length} channels`);
  const multiple = 2 ** (network.encoder.length - 1);
  if (preprocessing.size.some((length) => length % multiple !== 0))
    throw new CheckError(
      `preprocessing.size: found ${preprocessing.size.join(' x ')}, expected multiples of ${multiple}`,
    );
  return found;
}

/** Throws a CheckError if names or shapes of the tensors do not fit the architecture. */
export function requireTensors(network: Architecture, tensors: Weights): void {
  const expected = listTensors(network);
  for (const { name, shape } of expected) {
    const found = tensors.get(name)?.shape.join('x') ?? 'nothing';
    if (found !== shape.join('x'))
      throw new CheckError(`${name}: found ${found} where its architecture has ${shape.join('x')}`);
  }
  if (tensors.size !== expected.length)
    throw new CheckError(`found ${tensors.size} tensors where its architecture has ${expected.length}`);
}

/** The model from the tensors and metadata of a safetensors file. Throws a CheckError. */
export function modelOf(tensors: Weights, metadata: Readonly<Record<string, string>>): Model {
  const json = metadata[MODEL_KEY];
  if (json === undefined) throw new CheckError(`found no ${MODEL_KEY} in its metadata`);
  const found = parseDescription(json);
  requireTensors(found.architecture, tensors);
  return { ...found, weights: tensors };
}
